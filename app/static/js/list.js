/* Lists: ticking rows, columns that stay in view, conditions that leave no empty words in the address. */
(function () {
  "use strict";
  const $$ = (selector, root) => [...root.querySelectorAll(selector)];

  for (const list of $$("[data-list]", document)) {
    const rows = $$("input[name=rowid], input[data-row]", list), heads = $$("[data-check-all]", list), bar = list.querySelector(".picked");
    if (!rows.length) continue;
    const scope = list.querySelector("input[name=scope]"), all = list.querySelector("[data-pick-all]");
    const acts = $$("[data-needs-rows]", document).filter((button) => rows[0].form === button.form);
    let last = null;

    function show() {
      const n = rows.filter((row) => row.checked).length, every = scope && scope.value === "filter";
      rows.forEach((row) => row.closest("tr").classList.toggle("on", row.checked));
      heads.forEach((head) => { head.checked = n === rows.length; head.indeterminate = n > 0 && n < rows.length; });
      acts.forEach((button) => { button.disabled = !n; });
      if (!bar) return;
      bar.hidden = !n;
      bar.querySelector("[data-picked]").textContent = every ? xueji.say("selectedAll", { n: all.dataset.pickAll }) : xueji.say("selected", { n });
      if (all) all.hidden = every || n < rows.length;
    }
    function set(on) { rows.forEach((row) => { row.checked = on; }); if (scope) scope.value = "page"; show(); }
    heads.forEach((head) => head.addEventListener("change", () => set(head.checked)));
    rows.forEach((row, i) => row.addEventListener("click", (event) => {
      if (event.shiftKey && last !== null) rows.slice(Math.min(i, last), Math.max(i, last) + 1).forEach((one) => { one.checked = row.checked; });
      last = i;
      if (scope) scope.value = "page";
      show();
    }));
    list.querySelector("[data-pick-none]")?.addEventListener("click", () => set(false));
    all?.addEventListener("click", () => { scope.value = "filter"; show(); list.querySelector("[data-pick-none]").focus(); });
    window.addEventListener("pageshow", show);
    show();
  }

  /* The first columns stay: their left edges are only known once the table is laid out */
  const wraps = $$(".table-wrap[data-frozen]", document);
  function freeze(wrap) {
    const n = Number(wrap.dataset.frozen), head = $$("thead th", wrap);
    const narrow = head.slice(0, n).reduce((sum, cell) => sum + cell.offsetWidth, 0) > wrap.clientWidth / 2;
    let left = 0;
    head.slice(0, n).forEach((cell, i) => {
      for (const one of $$(`tr > :nth-child(${i + 1})`, wrap)) {
        one.classList.toggle("stuck", !narrow);
        one.classList.toggle("stuck-last", i === n - 1);
        one.style.setProperty("--left", left + "px");
      }
      left += cell.offsetWidth;
    });
    edges(wrap);
  }
  function edges(wrap) {
    wrap.classList.toggle("scrolled", wrap.scrollLeft > 2);
    wrap.classList.toggle("more-right", wrap.scrollLeft + wrap.clientWidth < wrap.scrollWidth - 2);
  }
  const watch = new ResizeObserver((entries) => entries.forEach((entry) => freeze(entry.target)));
  for (const wrap of wraps) {
    watch.observe(wrap);
    wrap.addEventListener("scroll", () => edges(wrap), { passive: true });
    for (const cell of $$("tbody td:not(.acts-cell, .tick)", wrap)) if (cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent.trim();
  }

  for (const form of $$("[data-search-form]", document)) {
    /* a choice may change which operation its field stands for */
    form.addEventListener("change", (event) => {
      const chosen = event.target;
      if (chosen.dataset.namesFor) document.getElementById(chosen.dataset.namesFor).name = chosen.value;
    });
    form.addEventListener("formdata", (event) => {
      for (const [name, value] of [...event.formData.entries()]) if (value === "") event.formData.delete(name);
    });
  }
})();
