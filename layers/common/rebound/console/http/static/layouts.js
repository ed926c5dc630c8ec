/* The block editor with scripts: blocks are dragged, previews follow what is typed, and the draft is saved meanwhile.
   What is dragged, moved or undone is done by the server, by the same form as without scripts. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-layout]");
  const QUIET = 900;
  // Styles of what is being dragged would be copied as attributes, which the policy forbids.
  window.htmx.config.attributesToSettle = [];
  let unsaved = false, timer = 0, showing = false, again = false, count = 0;

  const state = () => document.getElementById("state");
  const stopped = () => state().querySelector("[data-stopped]") !== null;

  // A frame of its own for each preview: so none is a step back in the browser's history, and nothing flickers.
  const show = (name) => new Promise((seen) => {
    const button = document.getElementById(`show-${name}`), old = document.querySelector(`.at-${name} iframe`);
    if (old.offsetParent === null) { seen(); return; }
    const fresh = old.cloneNode(false);
    fresh.removeAttribute("src");
    fresh.className = "coming";
    fresh.name = button.formTarget = `at-${name}-${count += 1}`;
    old.after(fresh);
    fresh.addEventListener("load", () => { old.remove(); fresh.className = ""; seen(); });
    form.requestSubmit(button);
  });
  // A form that is sent again before it is answered is not sent the first time: so one frame after the other.
  const showBoth = async () => {
    if (showing) { again = true; return; }
    showing = true;
    do {
      again = false;
      await show("phone");
      await show("desk");
    } while (again);
    showing = false;
  };
  const follow = () => {
    showBoth();
    if ("kept" in form.dataset && unsaved && !stopped()) document.getElementById("autosave").dispatchEvent(new Event("autosave"));
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(follow, QUIET); };

  form.addEventListener("input", () => { unsaved = true; soon(); });
  form.addEventListener("submit", (event) => { if (!event.submitter || !event.submitter.formTarget) unsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

  const editorIsTarget = (event) => event.detail.target && event.detail.target.id === "editor";
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.id === "autosave") unsaved = false;
    // What is typed while the answer is on its way would be lost with the fields.
    else if (editorIsTarget(event)) event.detail.target.inert = true;
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const editor = document.getElementById("editor");
    if (editor) editor.inert = false;
    if (event.detail.elt.id === "autosave" && !(event.detail.successful && state().querySelector("[data-saved]"))) unsaved = true;
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (!event.detail.elt || event.detail.elt.id !== "editor") return;
    dress();
    unsaved = state().querySelector("[data-saved]") === null || event.detail.requestConfig.elt.id !== "save";
    soon();
  });

  const dropped = (event) => {
    const place = event.item.dataset.at, into = event.to.dataset.list;
    // Among the others as they stood before: whoever goes down in the same list is still in it.
    const down = event.from === event.to && event.newIndex > event.oldIndex;
    const where = event.newIndex + (down ? 1 : 0);
    if (event.from === event.to && event.newIndex === event.oldIndex) return;
    window.htmx.ajax("POST", form.getAttribute("action"), {
      source: form, target: "#editor", select: "#editor", swap: "outerHTML",
      values: { do: `place:${place}:${into}.${where}` },
    });
  };
  const dress = () => {
    form.querySelectorAll(".handle").forEach((each) => { each.hidden = false; });
    form.querySelectorAll("[data-list]").forEach((list) => {
      window.Sortable.create(list, {
        group: { name: "blocks", put: (to, _, item) => to.el.dataset.kinds.split(" ").includes(item.dataset.kind) },
        handle: ".handle", draggable: ".block", animation: 120, emptyInsertThreshold: 24, onEnd: dropped,
      });
    });
    form.querySelectorAll("input[data-colour]").forEach((text) => {
      const picker = document.createElement("input");
      picker.type = "color";
      picker.setAttribute("aria-label", text.labels[0].textContent);
      const read = () => { picker.value = /^#[0-9a-f]{6}$/i.test(text.value) ? text.value : text.placeholder; };
      read();
      text.addEventListener("input", read);
      picker.addEventListener("input", () => { text.value = picker.value; });
      text.before(picker);
    });
  };
  dress();
  if (!document.querySelector("iframe[src]")) showBoth();
})();
