/* The editor of a sequence with scripts: steps are dragged. What is dragged is moved by the server, by the same form as
   without scripts, and whoever leaves without saving is asked. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-sequence]");
  // Styles of what is being dragged would be copied as attributes, which the policy forbids.
  window.htmx.config.attributesToSettle = [];
  let unsaved = false;
  form.addEventListener("input", () => { unsaved = true; });
  form.addEventListener("submit", () => { unsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

  const dropped = (event) => {
    const place = event.item.dataset.at, into = event.to.dataset.list;
    if (event.from === event.to && event.newIndex === event.oldIndex) return;
    // Among the others as they stood before: whoever goes down in the same list is still in it.
    const down = event.from === event.to && event.newIndex > event.oldIndex;
    unsaved = true;
    window.htmx.ajax("POST", form.getAttribute("action"), {
      source: form, target: "#editor", select: "#editor", swap: "outerHTML",
      values: { do: `place:${place}:${into}.${event.newIndex + (down ? 1 : 0)}` },
    });
  };
  const dress = () => {
    form.querySelectorAll(".handle").forEach((each) => { each.hidden = false; });
    form.querySelectorAll("[data-list]").forEach((list) => {
      window.Sortable.create(list, {
        group: "steps", handle: ".handle", draggable: ".block", animation: 120, emptyInsertThreshold: 24, onEnd: dropped,
      });
    });
  };
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt && event.detail.elt.id === "editor") dress();
  });
  dress();
})();
