/* The colours, before the first paint: localStorage "theme" is auto, light or dark. */
(function () {
  "use strict";
  const root = document.documentElement, sheet = document.getElementById("dark-theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  let choice = "auto";
  try { choice = localStorage.getItem("theme") || "auto"; } catch { /* storage may be forbidden */ }

  function apply() {
    const dark = choice === "dark" || (choice === "auto" && system.matches);
    sheet.media = dark ? "screen" : "not all";
    root.dataset.theme = dark ? "dark" : "light";
    for (const button of document.querySelectorAll("[data-theme-set]")) button.setAttribute("aria-pressed", button.dataset.themeSet === choice);
    document.dispatchEvent(new Event("themechange"));
  }
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", apply);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-set]");
    if (!button) return;
    choice = button.dataset.themeSet;
    try { localStorage.setItem("theme", choice); } catch { /* as above */ }
    apply();
  });
})();
