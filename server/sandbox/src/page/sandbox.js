// Saves typing; every page works without it.
"use strict";
document.documentElement.classList.add("script");

const field = (id) => document.getElementById(id);
const set = (id, value) => {
  const input = field(id);
  if (input) input.value = value;
};

const grouped = (digits) => {
  const cuts = /^3[47]/.test(digits) ? [4, 10] : [4, 8, 12, 16];
  return [...digits].map((digit, at) => (cuts.includes(at) ? " " : "") + digit).join("");
};

for (const button of document.querySelectorAll("button.fill")) {
  button.addEventListener("click", () => {
    const { number, account, expiry, cvc } = button.dataset;
    if (number) {
      set("number", grouped(number));
      set("expiry", expiry ?? "12 / 34");
      set("cvc", cvc ?? (/^3[47]/.test(number) ? "1234" : "123"));
    } else {
      set("routing", "110000000");
      set("account", account);
    }
    const pay = document.querySelector("button.primary");
    pay.scrollIntoView({ block: "center" });
    pay.focus({ preventScroll: true });
  });
}

// Spaces are put in only while typing at the end, so that the caret never jumps.
const atEnd = (input) => input.selectionStart === input.value.length;
field("number")?.addEventListener("input", ({ target }) => {
  if (atEnd(target)) target.value = grouped(target.value.replace(/\D/g, "").slice(0, 19));
});
field("expiry")?.addEventListener("input", ({ target, inputType }) => {
  if (!atEnd(target) || inputType?.startsWith("delete")) return;
  const digits = target.value.replace(/\D/g, "").slice(0, 4);
  target.value = digits.length > 2 ? `${digits.slice(0, 2)} / ${digits.slice(2)}` : digits;
});

// A second click while the first is on its way would only be ignored by the server; show that it was heard.
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => form.classList.add("busy"));
}
addEventListener("pageshow", () => document.querySelectorAll("form.busy").forEach((form) => form.classList.remove("busy")));
