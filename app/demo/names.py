"""Names of invented people, about as frequent as in life, with rare characters and minority names among them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.reference import read_table

DATA = Path(__file__).parent / "data"

MEN = (
    "浩宇轩杰鑫涛俊明强伟鹏飞磊博文志豪天翔子昊睿辰泽宏建国峰龙凯旭东阳波勇军超斌健晨嘉诚航一鸣家俊熙林海洋瑞金"
    "振华成思远承毅恒力云松柏铭锐彬彦祖尧禹舜廷钧锋义仁礼智信永康乐安平运良才栋梁威武雄坤乾震霖泓源江河川山岳"
)
WOMEN = (
    "婷欣怡雨涵梦琪诗雅静敏佳雪慧玲丽娟芳莹倩颖思语嫣晓萱紫晴琳娜洁露瑶月美玉珍珠兰梅菊莲芝蕾蓉薇馨妍彤悦然可心"
    "若曦芷若依依韵婉清柔宁安琴秋燕春夏冬媛媚丹红艳霞云虹冰凝霜舒文君亦菲纯恬沁沛佩环璇玥姝妮娅嘉艺灵巧"
)
RARE = "堃珺昇頔翀燚淼犇骉喆劼赟镕焜烜珹玙玥琤㛃䶮𬭎𫖯祎甯曌"
TIBETAN = [
    "扎西",
    "次仁",
    "卓玛",
    "多吉",
    "央金",
    "旺堆",
    "尼玛",
    "达娃",
    "德吉",
    "拉姆",
    "平措",
    "格桑",
    "索朗",
    "白玛",
    "洛桑",
    "仁青",
]
UYGHUR_MEN = [
    "阿卜杜拉",
    "买买提",
    "艾力",
    "吐尔逊",
    "麦麦提",
    "阿迪力",
    "依力哈木",
    "玉素甫",
    "库尔班",
    "凯撒尔",
    "穆萨",
    "艾尼瓦尔",
]
UYGHUR_WOMEN = [
    "古丽娜尔",
    "阿依古丽",
    "帕提古丽",
    "热依汗",
    "迪丽努尔",
    "祖丽胡玛尔",
    "米热古丽",
    "阿孜古丽",
    "努尔比亚",
]
KAZAKH = ["叶尔兰", "努尔兰", "巴合提", "哈力木", "阿依波塔", "古丽扎", "加娜尔", "叶斯波力", "赛力克", "达吾列"]
MONGOL = [
    "巴特尔",
    "乌日娜",
    "苏日娜",
    "那日苏",
    "格日勒",
    "阿木古楞",
    "其其格",
    "哈斯",
    "呼和",
    "萨日娜",
    "朝鲁",
    "乌兰",
]
YI_CLANS = ["阿苏", "吉克", "沙马", "马海", "阿的", "吉木", "曲比", "海来", "阿约", "的日"]
YI_GIVEN = ["木呷", "子木", "阿依", "拉铁", "伍各", "尔古", "日洛", "阿呷", "木乃", "尔布"]
OWN_FORMS = frozenset({"02", "04", "05", "07", "17"})


def weighted(choices: Sequence[tuple[str, float]], size: int = 4000) -> list[str]:
    """A table in which each choice stands as often as it weighs, so that picking one is a single index."""
    total = sum(weight for _, weight in choices)
    return [choice for choice, weight in choices for _ in range(max(1, round(size * weight / total)))]


def _by_rank(characters: str) -> list[str]:
    return weighted([(character, 1 / (rank + 12)) for rank, character in enumerate(dict.fromkeys(characters))])


class Names:
    """Draws names from `random`, a function of no arguments that gives a float in [0, 1)."""

    def __init__(self, random: Callable[[], float]) -> None:
        self.random = random
        rows = read_table(DATA / "surnames.csv")
        self.surnames = weighted([(row["name"], float(row["weight"])) for row in rows], 10_000)
        self.given = {True: _by_rank(MEN), False: _by_rank(WOMEN)}

    def pick(self, table: Sequence[str]) -> str:
        return table[int(self.random() * len(table))]

    def surname(self) -> str:
        return self.pick(self.surnames)

    def full(self, man: bool, ethnic_group: str) -> str:
        """A name for a person of the ethnic group (GB/T 3304): in its own form often, in the Han form else."""
        if ethnic_group in OWN_FORMS and self.random() < 0.8:
            return self._own_form(man, ethnic_group)
        return self.surname() + self.given_name(man)

    def given_name(self, man: bool) -> str:
        table, chance = self.given[man], self.random()
        if chance < 0.006:
            return self.pick(RARE)
        if chance < 0.16:
            return self.pick(table)
        if chance < 0.18:
            return self.pick(table) + self.pick(RARE)
        if chance < 0.22:
            return self.pick(table) * 2
        return self.pick(table) + self.pick(table)

    def _own_form(self, man: bool, ethnic_group: str) -> str:
        match ethnic_group:
            case "02":
                return self.pick(MONGOL)
            case "04":
                return self.pick(TIBETAN) + self.pick(TIBETAN)
            case "05":
                return f"{self.pick(UYGHUR_MEN if man else UYGHUR_WOMEN)}·{self.pick(UYGHUR_MEN)}"
            case "07":
                return self.pick(YI_CLANS) + self.pick(YI_GIVEN)
            case _:
                return f"{self.pick(KAZAKH)}·{self.pick(KAZAKH)}"
