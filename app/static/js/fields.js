/* Fields: search boxes in place of long selects, files by drag and drop, lists of boxes with a filter, times. */
(function () {
  "use strict";
  const $$ = (selector) => [...document.querySelectorAll(selector)];

  /* A combobox over a <select>: its own options (data-search), or an endpoint's {results: [{id, text}]} for ?q= */
  function combobox(select) {
    const endpoint = select.dataset.endpoint, box = document.createElement("div"), input = document.createElement("input"), list = document.createElement("ul");
    box.className = "lookup";
    Object.assign(list, { className: "lookup-list", id: select.id + "-list", hidden: true });
    list.setAttribute("role", "listbox");
    Object.assign(input, { className: "form-control", type: "text", id: select.id, autocomplete: "off", required: select.required, placeholder: xueji.words.typeToSearch });
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" })) input.setAttribute(name, value);
    for (const name of ["aria-describedby", "aria-invalid", "aria-label"]) if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    list.setAttribute("aria-label", label ? label.textContent.trim() : "");
    select.id += "-value";
    select.hidden = true;
    select.required = false;
    select.after(box);
    box.append(input, list);
    let active = -1, timer = 0, asked = 0;
    const shown = () => select.selectedOptions[0]?.textContent.trim() || "";
    input.value = shown();

    function close() { list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); active = -1; }
    function mark(index) {
      active = index;
      [...list.children].forEach((item, i) => item.setAttribute("aria-selected", i === index));
      const item = list.children[index];
      if (item) { input.setAttribute("aria-activedescendant", item.id); item.scrollIntoView({ block: "nearest" }); }
    }
    function choose(item) {
      if (endpoint) { select.textContent = ""; select.add(new Option(item.textContent, item.dataset.id, true, true)); }
      else select.value = item.dataset.id;
      input.value = item.textContent;
      close();
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
    function fill(results) {
      list.textContent = "";
      results.forEach((result, i) => {
        const item = list.appendChild(document.createElement("li"));
        item.id = `${list.id}-${i}`;
        item.setAttribute("role", "option");
        item.textContent = result.text;
        item.dataset.id = result.id;
      });
      if (!results.length) {
        const item = list.appendChild(document.createElement("li"));
        item.setAttribute("role", "option");
        item.setAttribute("aria-disabled", "true");
        item.textContent = xueji.words.noMatch;
      }
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      mark(results.length ? 0 : -1);
    }
    async function search() {
      const words = input.value.trim();
      if (!endpoint) {
        const q = words.toLowerCase();
        return fill([...select.options].filter((o) => o.text.trim() && o.text.toLowerCase().includes(q)).slice(0, 200).map((o) => ({ id: o.value, text: o.text })));
      }
      if (!words) return close();
      const mine = ++asked;
      try {
        const answer = await fetch(endpoint + (endpoint.includes("?") ? "&" : "?") + "q=" + encodeURIComponent(words), { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.status);
        const results = (await answer.json()).results;
        if (mine === asked) fill(results);
      } catch { if (mine === asked) { fill([]); list.firstChild.textContent = xueji.words.failed; } }
    }
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, endpoint ? 180 : 0); });
    input.addEventListener("focus", () => { input.select(); });
    input.addEventListener("click", () => { if (!endpoint && list.hidden) { input.value = ""; search(); } });
    input.addEventListener("keydown", (event) => {
      const n = list.querySelectorAll("[data-id]").length;
      if (event.key === "ArrowDown" && list.hidden) { event.preventDefault(); if (!endpoint) input.value = ""; search(); }
      else if (event.key === "ArrowDown" && n) { event.preventDefault(); mark((active + 1) % n); }
      else if (event.key === "ArrowUp" && n) { event.preventDefault(); mark((active - 1 + n) % n); }
      else if (event.key === "Enter" && !list.hidden) { event.preventDefault(); const item = list.children[Math.max(active, 0)]; if (item?.dataset.id) choose(item); }
      else if (event.key === "Escape" && !list.hidden) { event.stopPropagation(); close(); input.value = shown(); }
    });
    list.addEventListener("mousedown", (event) => { event.preventDefault(); const item = event.target.closest("[data-id]"); if (item) choose(item); });
    input.addEventListener("blur", () => {
      asked++;
      close();
      if (input.value.trim() === "") { if (endpoint) select.textContent = ""; select.value = [...select.options].some((o) => o.value === "__None") ? "__None" : ""; }
      input.value = shown();
    });
    /* an emptied lookup must still be sent, as an empty value */
    select.form?.addEventListener("formdata", (event) => { if (select.name && !event.formData.has(select.name)) event.formData.set(select.name, ""); });
  }
  for (const select of $$("select[data-search], select.xj-lookup")) if (!select.dataset.endpoint || xueji.own(select)) combobox(select);

  for (const filter of $$("[data-filters]")) {
    const box = document.getElementById(filter.dataset.filters);
    filter.addEventListener("input", () => {
      const q = filter.value.trim().toLowerCase();
      for (const section of box.querySelectorAll("section")) {
        const title = section.querySelector(".checklist-head")?.textContent.toLowerCase() || "";
        let any = false;
        for (const item of section.querySelectorAll("li")) {
          item.hidden = q !== "" && !title.includes(q) && !item.textContent.toLowerCase().includes(q);
          any = any || !item.hidden;
        }
        section.hidden = !any;
      }
    });
    filter.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  }

  for (const button of $$("[data-check-boxes], [data-uncheck-boxes]")) {
    const on = "checkBoxes" in button.dataset, name = button.dataset.checkBoxes || button.dataset.uncheckBoxes;
    button.addEventListener("click", () => { for (const box of $$(`input[type=checkbox][name="${name}"]`)) box.checked = on; });
  }

  const bytes = (n) => n > 1048576 ? (n / 1048576).toFixed(1) + " MiB" : Math.ceil(n / 1024) + " KiB";
  for (const drop of $$("[data-drop]")) {
    const input = drop.querySelector("input"), names = drop.querySelector(".drop-names");
    for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("over"));
    for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
    input.addEventListener("change", () => {
      const files = [...input.files], accept = input.accept.toLowerCase().split(",").map((end) => end.trim()).filter((end) => end.startsWith("."));
      const large = files.find((file) => input.dataset.max && file.size > Number(input.dataset.max));
      const other = files.find((file) => accept.length && !accept.some((end) => file.name.toLowerCase().endsWith(end)));
      const wrong = large ? xueji.say("tooLarge", { name: large.name, size: bytes(Number(input.dataset.max)) })
        : other ? xueji.say("wrongType", { name: other.name, types: accept.join(" ") }) : "";
      names.textContent = wrong || files.map((file) => `${file.name} (${bytes(file.size)})`).join(", ");
      names.classList.toggle("wrong", Boolean(wrong));
      input.setCustomValidity(wrong);
    });
  }

  /* The browser writes 2026-03-01T08:00; the server reads "2026-03-01 08:00:00" */
  for (const input of $$("input[data-space]")) {
    input.form.addEventListener("formdata", (event) => {
      const value = event.formData.get(input.name);
      if (value) event.formData.set(input.name, value.replace("T", " ") + (value.length === 16 ? ":00" : ""));
    });
  }
})();
