/* The print button of papers. */
(function () {
  "use strict";
  document.querySelector("[data-print]").addEventListener("click", () => window.print());
  if ("printNow" in document.body.dataset) window.addEventListener("load", () => window.print());
})();
