/* One box that ticks all boxes of the list; without it they are ticked one by one. */
(() => {
  "use strict";
  const show = () => document.querySelectorAll("[data-ticks-all]").forEach((box) => { box.closest("label").hidden = false; });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-ticks-all]")) return;
    event.target.form.querySelectorAll("input[name=customer]").forEach((box) => { box.checked = event.target.checked; });
  });
  document.addEventListener("htmx:afterSettle", show);
  show();
})();
