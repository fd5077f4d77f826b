// Reveals one masked value on demand; the server logs it.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-reveal]");
  if (!button) return;
  button.disabled = true;
  const token = document.querySelector("meta[name=csrf-token]")?.content || "";
  const answer = await fetch(button.dataset.reveal, {
    method: "POST", headers: { "X-CSRFToken": token, Accept: "application/json" },
  });
  const body = await answer.json();
  button.previousElementSibling.textContent = answer.ok ? body.value : body.message;
  button.remove();
});
