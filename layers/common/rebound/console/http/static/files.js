/* Says before a file is sent what the bucket would say after it, in a page of its own. */
(() => {
  "use strict";
  const LASTS = 55 * 60 * 1000;
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-most-bytes]")) return;
    const [file] = form.querySelector("input[type=file]").files;
    const late = Date.now() - performance.timeOrigin > LASTS;
    const large = !late && Boolean(file) && file.size > Number(form.dataset.mostBytes);
    form.querySelector("[data-when=late]").hidden = !late;
    form.querySelector("[data-when=large]").hidden = !large;
    if (late || large) event.preventDefault();
  });
})();
