/* What is written and not sent yet is kept in this tab for its writer, and filled in again when she comes back to the form:
   after a click on the menu, a reload, a refusal. It goes when it has been sent, and when somebody else signs in. */
(function () {
  "use strict";
  const reader = document.body.dataset.reader, mine = `kept:${reader}:`, SENT = "kept-sent";
  let store;
  try { store = window.sessionStorage; store.length; } catch { return; }
  const every = () => Object.keys(store).filter((key) => key.startsWith("kept:"));

  if (reader) for (const key of every()) if (!key.startsWith(mine)) store.removeItem(key);
  for (const form of document.querySelectorAll("form[action*='/logout']")) form.addEventListener("submit", () => every().forEach((key) => store.removeItem(key)));
  if (!reader) return;

  const refused = document.querySelector(".alert-danger, .error-code, [aria-invalid=true]");
  const sent = store.getItem(SENT);
  store.removeItem(SENT);
  if (sent && !refused) store.removeItem(sent);

  const written = (form) => [...form.elements].filter((one) => one.name && !/^(hidden|password|file|submit|button)$/.test(one.type) && one.tagName !== "BUTTON" && one.tagName !== "FIELDSET");
  const value = (one) => /^(checkbox|radio)$/.test(one.type) ? (one.checked ? one.value : null) : one.value;
  const state = (form) => JSON.stringify(written(form).map((one) => [one.name, value(one), one.tagName === "SELECT" ? one.selectedOptions[0]?.text : ""]));

  function fill(form, kept) {
    const fields = written(form);
    JSON.parse(kept).forEach(([name, text, label], i) => {
      const one = fields[i];
      if (!one || one.name !== name) return;
      if (/^(checkbox|radio)$/.test(one.type)) one.checked = text !== null;
      else {
        if (one.tagName === "SELECT" && ![...one.options].some((option) => option.value === text)) {
          if (!one.dataset.endpoint || text === null) return;
          one.add(new Option(label, text));
        }
        one.value = text;
      }
    });
  }
  function tell(form, key) {
    const box = document.createElement("div"), text = document.createElement("div"), button = document.createElement("button");
    box.className = "alert alert-info";
    box.setAttribute("role", "status");
    text.textContent = xueji.words.kept;
    Object.assign(button, { type: "button", className: "btn btn-default btn-sm", textContent: xueji.words.discard });
    button.addEventListener("click", () => { store.removeItem(key); form.dataset.discarded = "1"; location.reload(); });
    box.append(text, button);
    form.prepend(box);
  }
  document.querySelectorAll("form[data-keep]").forEach((form, i) => {
    const key = `${mine}${location.pathname}:${i}`, kept = store.getItem(key), fresh = state(form);
    if (kept && kept !== fresh && !form.querySelector("[aria-invalid=true]")) { fill(form, kept); tell(form, key); }
    let timer = 0;
    const keep = () => { if (!form.dataset.discarded) try { store.setItem(key, state(form)); } catch { /* full: the page itself still has it */ } };
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(keep, 250); });
    form.addEventListener("change", keep);
    window.addEventListener("pagehide", () => { if (timer && !form.dataset.sent) keep(); });
    window.addEventListener("submit", (event) => {
      if (event.target !== form || event.defaultPrevented) return;
      keep();
      store.setItem(SENT, key);
    });
  });
})();
