"""One form of e-mail address for every door."""

import pytest

from app.kit.email_address import is_address

WRONG = [
    "", "a", "a@b", "@b.cn", "a@", "a@.cn", "a@b.", "a@b..cn", "a..b@c.cn", ".a@c.cn", "a.@c.cn", "a b@c.cn", "a@b c.cn",
    "a@b.cn, c@d.cn", "a@b.cn,c@d.cn", "a@b.cn;c@d.cn", "x@y.cn\r\nBcc: z@z.cn", "x@y.cn\n", "x@y.cn\r", "\nx@y.cn", "a@@b.cn",
    "张@b.cn", "a@b.1", "a@-b.cn", "a@b-.cn", "<a@b.cn>", "A <a@b.cn>", '"a b"@c.cn', "a@[10.0.0.1]", "a@10.0.0.1",
    "a" * 65 + "@b.cn", "a@" + ("b" * 60 + ".") * 5 + "cn",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_no_letter_reaches_is_no_address(text):
    assert not is_address(text)


@pytest.mark.parametrize("text", [
    "a@b.cn", "zhang.san@stu.example.edu.cn", "Zhang_San+1@Example.COM", "o'neil@x-y.org", "1@163.com", "a@xn--fiq228c.cn",
    "name@example.invalid", "a" * 64 + "@b.cn",
])  # fmt: skip
def test_what_a_letter_reaches_is_one(text):
    assert is_address(text)
