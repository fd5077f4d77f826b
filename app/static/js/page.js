/* What every page needs: menus, confirmation, forms sent once, tabs, progress. Nothing here runs without its markup. */
(function () {
  "use strict";
  const $$ = (selector, root) => [...(root || document).querySelectorAll(selector)];
  const words = JSON.parse(document.getElementById("words").textContent);
  /* what the page itself made, and no text of people on it, carries the mark of this answer */
  const mark = document.querySelector("meta[name=own-mark]").content;
  window.xueji = {
    words,
    own: (element) => element.dataset.own === mark,
    say: (key, values) => Object.entries(values || {}).reduce((text, [name, value]) => text.replace(`{${name}}`, value), words[key]),
  };

  /* Sidebar on narrow screens */
  const toggle = document.querySelector(".nav-toggle"), side = document.getElementById("side");
  function openSide(open) {
    document.body.classList.toggle("nav-open", open);
    toggle.setAttribute("aria-expanded", open);
    document.querySelector(".veil")?.remove();
    if (open) {
      const veil = document.body.appendChild(document.createElement("div"));
      veil.className = "veil";
      veil.addEventListener("click", () => openSide(false));
      side.querySelector("a").focus();
    } else toggle.focus();
  }
  if (toggle) {
    toggle.addEventListener("click", () => openSide(!document.body.classList.contains("nav-open")));
    side.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  /* Drop-down menus are <details class=menu> */
  document.addEventListener("click", (event) => {
    for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    const close = event.target.closest("[data-close]");
    if (close) close.closest(".alert").remove();
    /* some answers need a word of explanation, others do not */
    const act = event.target.closest("button[name=act]");
    const explained = act?.form?.elements.opinion;
    if (explained && !("always" in explained.dataset)) explained.required = act.dataset.needs === "opinion";
    /* an act that records nothing asks for none of the form, but for its explanation */
    if (explained && act.formNoValidate && !explained.reportValidity()) event.preventDefault();
    const panel = event.target.closest("[data-toggle-panel]");
    if (panel) {
      const target = document.getElementById(panel.getAttribute("aria-controls"));
      target.hidden = !target.hidden;
      panel.setAttribute("aria-expanded", !target.hidden);
      if (!target.hidden) target.querySelector("input, select").focus();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = document.querySelector("details.menu[open]");
      if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
      else if (document.body.classList.contains("nav-open")) openSide(false);
    }
    if (event.key === "/" && !event.target.closest("input, textarea, select, [contenteditable]")) {
      const box = document.querySelector("[data-slash]");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
    }
  });

  /* data-confirm on a button or form asks first; data-danger paints the answer red. Every form is sent once. */
  const dialog = document.getElementById("confirm");
  function ask(text, danger) {
    dialog.querySelector("#confirm-text").textContent = text;
    const ok = dialog.querySelector("#confirm-ok");
    ok.className = "btn " + (danger ? "btn-danger" : "btn-primary");
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((answer) => dialog.addEventListener("close", () => answer(dialog.returnValue === "ok"), { once: true }));
  }
  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (form.method === "dialog") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    const asking = button?.dataset.confirm ? button : form;
    if (asking.dataset.confirm && !form.dataset.confirmed) {
      event.preventDefault();
      ask(asking.dataset.confirm, "danger" in asking.dataset).then((yes) => {
        if (!yes) { button?.focus(); return; }
        form.dataset.confirmed = "1";
        form.requestSubmit(button && button.form === form ? button : undefined);
      });
      return;
    }
    delete form.dataset.confirmed;
    if (form.method === "post" && !form.target) {
      form.dataset.sent = "1";
      button?.setAttribute("aria-busy", "true");
      /* a download leaves the page standing: let it be sent again */
      setTimeout(() => { delete form.dataset.sent; button?.removeAttribute("aria-busy"); }, 8000);
    }
  });
  window.addEventListener("pageshow", () => {
    for (const form of $$("form[data-sent]")) delete form.dataset.sent;
    for (const button of $$("[aria-busy]")) button.removeAttribute("aria-busy");
  });

  /* A form with changes warns before it is left */
  for (const form of $$("form[data-dirty]")) {
    let dirty = false;
    form.addEventListener("input", () => { dirty = true; });
    window.addEventListener("beforeunload", (event) => { if (dirty && !form.dataset.sent) event.preventDefault(); });
  }
  document.querySelector("[data-focus]")?.focus();

  /* What is current in a row that scrolls sideways stands in view */
  for (const row of $$(".flow-box, .tabs")) {
    const here = row.querySelector(".current, [aria-current]");
    if (here) row.scrollLeft += here.getBoundingClientRect().left - row.getBoundingClientRect().left - row.clientWidth / 2;
  }

  /* Tabs whose panels are on the page: links to them, made into tabs */
  for (const box of $$("[data-tabs]")) {
    const links = $$(":scope > .tabs > a[href^='#']", box);
    if (!links.length) continue;
    const panels = links.map((link) => document.getElementById(link.hash.slice(1)));
    links[0].parentElement.setAttribute("role", "tablist");
    const key = "tab:" + location.pathname;
    function select(index, focus) {
      links.forEach((link, i) => {
        link.setAttribute("aria-selected", i === index);
        link.tabIndex = i === index ? 0 : -1;
        panels[i].hidden = i !== index;
      });
      if (focus) links[index].focus();
      try { sessionStorage.setItem(key, index); } catch { /* only convenience */ }
    }
    links.forEach((link, i) => {
      link.setAttribute("role", "tab");
      link.id = link.id || "tab-" + panels[i].id;
      link.setAttribute("aria-controls", panels[i].id);
      panels[i].setAttribute("role", "tabpanel");
      panels[i].setAttribute("aria-labelledby", link.id);
      link.addEventListener("click", (event) => { event.preventDefault(); select(i); });
      link.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step) { event.preventDefault(); select((i + step + links.length) % links.length, true); }
      });
    });
    let first = panels.findIndex((panel) => "#" + panel.id === location.hash);
    try { if (first < 0) first = Math.min(Number(sessionStorage.getItem(key)), links.length - 1); } catch { first = 0; }
    select(Math.max(first, 0));
  }

  /* Progress that follows a job: JSON {state, label, tone, done, total, count, message, url}; `count` says done and total in words */
  for (const box of $$("[data-poll-url]").filter(xueji.own)) {
    const bar = box.querySelector("progress"), message = box.querySelector("[data-poll-message]"), counted = box.querySelector("[data-poll-count]");
    const badge = box.closest("li")?.querySelector("[data-poll-badge] .badge");
    let wait = 700;
    async function look() {
      try {
        const answer = await fetch(box.dataset.pollUrl, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.status);
        const job = await answer.json();
        if (job.total) { bar.value = 100 * job.done / job.total; counted.textContent = job.count; }
        if (message.textContent !== (job.message || "")) message.textContent = job.message || "";
        if (badge && job.label && badge.textContent !== job.label) Object.assign(badge, { textContent: job.label, className: `badge badge-${job.tone}` });
        if (["done", "failed", "cancelled"].includes(job.state)) {
          if (job.url) location.assign(job.url); else location.reload();
          return;
        }
      } catch {
        message.textContent = words.failed;
        wait = Math.min(wait * 2, 15000);
      }
      wait = Math.min(wait * 1.15, 15000);
      setTimeout(look, wait);
    }
    look();
  }
})();
