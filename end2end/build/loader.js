// Starts the WebAssembly and hands every island its element. The addresses and digests come from attributes of the
// script tag, so that nothing is inline and the policy needs no nonce.
import * as till from "till-glue";

async function start() {
  const tag = document.querySelector("script[data-wasm]");
  const islands = [...document.querySelectorAll("leptos-island")];
  if (!tag || islands.length === 0) return;
  const { wasm, wasmIntegrity } = tag.dataset;
  await till.default({ module_or_path: fetch(wasm, { integrity: wasmIntegrity }) });
  till.hydrate();
  for (const island of islands) till[island.dataset.component]?.(island);
}

// Without WebAssembly the page goes on as plain HTML, and asks for news as it would without scripts. The reason is for
// developers.
start().catch((error) => {
  console.warn("till: staying with plain HTML", error);
  if (document.querySelector("main[data-changing]")) setTimeout(() => location.reload(), 5000);
});
