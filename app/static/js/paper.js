/* The print button of papers. What is printed before its fonts have come is printed with others. */
(function () {
  "use strict";
  const print = () => document.fonts.ready.then(() => window.print());
  document.querySelector("[data-print]").addEventListener("click", print);
  if ("printNow" in document.body.dataset) window.addEventListener("load", print);
})();
