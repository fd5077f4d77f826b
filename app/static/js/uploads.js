/* A scan is sent as soon as it is chosen, one after the other, with its progress; the page stays as it is. The template of the
   section is the markup of a scan that is there. Without this script the form's button sends them all. */
(function () {
  "use strict";
  const words = xueji.words;

  function section(form) {
    const box = form.closest(".material"), list = box.querySelector(".files"), model = box.querySelector("template"), told = box.querySelector("[data-told]");
    const inputs = [...form.querySelectorAll("input[type=file]")], most = Number(inputs[0].dataset.max);
    let queue = Promise.resolve();
    form.classList.add("at-once");

    function show(item, file, sent) {
      const made = model.content.firstElementChild.cloneNode(true), link = made.querySelector("a"), picture = made.querySelector("img");
      link.href = file.url;
      link.textContent = file.name;
      made.querySelector("[data-note]").textContent = file.note;
      if (file.picture) picture.src = sent.type.startsWith("image/") && !/hei[cf]/i.test(sent.type) ? URL.createObjectURL(sent) : file.small;
      else picture.replaceWith(Object.assign(document.createElement("i"), { className: "fa fa-file-pdf-o scan-icon", ariaHidden: "true" }));
      const remove = made.querySelector("form");
      remove.action = file.remove_url;
      remove.dataset.confirm += "\n" + file.name;
      remove.querySelector("button").setAttribute("aria-label", xueji.say("removeNamed", { name: file.name }));
      item.replaceWith(made);
      box.querySelector("[data-missing]")?.remove();
      told.textContent = xueji.say("sent", { name: file.name });
    }
    function fail(item, sent, why) {
      item.querySelector("progress")?.remove();
      const text = Object.assign(document.createElement("span"), { className: "text-bad", textContent: why });
      const again = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-default btn-sm", textContent: words.again });
      again.addEventListener("click", () => { item.remove(); add(sent); });
      if (why.includes(sent.name)) item.textContent = "";
      item.append(text, again);
      told.textContent = why.includes(sent.name) ? why : `${sent.name}: ${why}`;
    }
    function post(item, bar, sent) {
      return new Promise((done) => {
        const asked = new XMLHttpRequest(), data = new FormData();
        data.append("csrf_token", document.querySelector("meta[name=csrf-token]").content);
        data.append("file", sent, sent.name);
        asked.open("POST", form.action);
        asked.setRequestHeader("Accept", "application/json");
        asked.responseType = "json";
        asked.upload.addEventListener("progress", (event) => { if (event.lengthComputable) bar.value = 100 * event.loaded / event.total; });
        asked.addEventListener("load", () => {
          const answer = asked.response || {};
          if (asked.status === 401 && answer.url) { location.assign(answer.url); return; }
          if (asked.status === 201 && answer.files?.length) show(item, answer.files[0], sent);
          else fail(item, sent, answer.message || words.failed);
          done();
        });
        asked.addEventListener("error", () => { fail(item, sent, words.failed); done(); });
        asked.send(data);
      });
    }
    function add(sent) {
      const item = list.appendChild(document.createElement("li")), name = document.createElement("span");
      name.textContent = sent.name;
      item.append(name);
      list.hidden = false;
      if (most && sent.size > most) return fail(item, sent, xueji.say("tooLarge", { name: sent.name, size: Math.round(most / 1048576) + " MB" }));
      const bar = item.appendChild(document.createElement("progress"));
      Object.assign(bar, { max: 100, value: 0, className: "progress", ariaLabel: sent.name });
      queue = queue.then(() => post(item, bar, sent));
    }
    for (const input of inputs) {
      input.addEventListener("change", () => {
        const chosen = [...input.files];
        if (!chosen.length) return;
        input.value = "";
        input.setCustomValidity("");
        const names = form.querySelector(".drop-names");
        names.textContent = "";
        names.classList.remove("wrong");
        chosen.forEach(add);
      });
    }
  }
  for (const form of document.querySelectorAll("form[data-at-once]")) if (xueji.own(form)) section(form);
})();
