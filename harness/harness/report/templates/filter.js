"use strict";
const form = document.querySelector(".filters");
if (form) {
  const cards = [...document.querySelectorAll(".sample")];
  const selects = [...form.querySelectorAll("select")];
  const update = () => {
    let shown = 0;
    for (const card of cards) {
      card.hidden = selects.some((s) => s.value && card.dataset[s.dataset.filter] !== s.value);
      shown += card.hidden ? 0 : 1;
    }
    form.querySelector("output").textContent = `${shown} of ${cards.length} shown`;
  };
  form.addEventListener("change", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  update();
}
