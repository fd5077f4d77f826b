/* Shows one masked value on demand; the server logs it. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-reveal]");
  if (!button || !xueji.own(button)) return;
  const shown = button.previousElementSibling;
  button.disabled = true;
  try {
    const token = document.querySelector("meta[name=csrf-token]").content;
    const answer = await fetch(button.dataset.reveal, { method: "POST", headers: { "X-CSRFToken": token, Accept: "application/json" } });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.message);
    shown.textContent = body.value;
    button.remove();
  } catch (error) {
    button.disabled = false;
    button.textContent = error.message && !(error instanceof TypeError) ? error.message : xueji.words.failed;
  }
});
