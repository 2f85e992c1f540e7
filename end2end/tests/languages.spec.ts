// The shopper's language: from the browser's settings, or switched on the page.
import { expect, test } from "./support/fixtures.ts";
import { CARDS, goBack, heading, open, payAndReturn, pressPay, seePhase, seeReady, submitCard } from "./support/shopper.ts";

const LANGUAGES = [
  { locale: "de-DE", lang: "de", dir: "ltr", choose: "Wie möchten Sie bezahlen?", confirming: "Ihre Bank bestätigt die Zahlung", paid: "Zahlung abgeschlossen" },
  { locale: "ar-EG", lang: "ar", dir: "rtl", choose: "كيف تودّ أن تدفع؟", confirming: "جارٍ التأكيد مع البنك", paid: "اكتمل الدفع" },
  { locale: "en-US", lang: "en", dir: "ltr", choose: "How would you like to pay?", confirming: "Confirming with your bank", paid: "Payment complete" },
  // Till does not speak this language.
  { locale: "fi-FI", lang: "en", dir: "ltr", choose: "How would you like to pay?", confirming: "Confirming with your bank", paid: "Payment complete" },
];

for (const { locale, lang, dir, choose, confirming, paid } of LANGUAGES) {
  test(`a browser set to ${locale} gets ${lang}, ${dir}, from the choice to the end`, async ({ newShopper, till }) => {
    await till.sandbox.hold();
    const page = await (await newShopper({ locale })).newPage();
    await open(page, await till.link());
    await expect(page.locator("html")).toHaveAttribute("lang", lang);
    await expect(page.locator("html")).toHaveAttribute("dir", dir);
    await expect(heading(page)).toHaveText(choose);
    await pressPay(page);
    await payAndReturn(page);
    await expect(heading(page)).toHaveText(confirming);
    await seeReady(page);
    await till.sandbox.release();
    // The island renders these words in the page's language.
    await expect(heading(page)).toHaveText(paid);
    await expect(page.locator("html")).toHaveAttribute("dir", dir);
  });
}

test("amounts are written as the language writes them", async ({ newShopper, till }) => {
  const link = await till.link({ lines: ["Tea=1234.50"] });
  const english = await (await newShopper()).newPage();
  await open(english, link);
  await expect(english.locator("#pay")).toHaveText("Pay €1,234.50");
  const german = await (await newShopper({ locale: "de-DE" })).newPage();
  await open(german, link);
  await expect(german.locator("#pay")).toHaveText(/^1\.234,50\s€ bezahlen$/);
});

test("a language that was switched to survives the way to the provider and back", async ({ page, till }) => {
  await till.sandbox.hold();
  await open(page, await till.link());
  await page.getByRole("link", { name: "Deutsch" }).click();
  await expect(heading(page)).toHaveText("Wie möchten Sie bezahlen?");
  await seeReady(page);
  await pressPay(page);
  await payAndReturn(page);
  await expect(heading(page)).toHaveText("Ihre Bank bestätigt die Zahlung");
  await seeReady(page);
  await till.sandbox.release();
  await expect(heading(page)).toHaveText("Zahlung abgeschlossen");
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
});

test("a language that was switched to survives a cancelled payment", async ({ page, till }) => {
  await open(page, await till.link());
  await page.getByRole("link", { name: "العربية" }).click();
  await expect(page.locator("html")).toHaveAttribute("dir", "rtl");
  await pressPay(page);
  await submitCard(page, CARDS.declined);
  await goBack(page);
  await seePhase(page, "declined");
  await expect(page.locator("html")).toHaveAttribute("lang", "ar");
});

test("a switched language survives everything else a page does", async ({ page, till }) => {
  await page.goto(await till.session({ ttl: 6 }));
  await page.getByRole("link", { name: "Deutsch" }).click();
  await seePhase(page, "choose");
  await seePhase(page, "expired");
  await expect(heading(page)).toHaveText("Die Zeit ist abgelaufen");
  await page.getByRole("button", { name: "Neu beginnen" }).click();
  await expect(heading(page)).toHaveText("Wie möchten Sie bezahlen?");
});

test("a link can name the language", async ({ page, till }) => {
  await page.goto(`${await till.link()}?lang=de`);
  await expect(heading(page)).toHaveText("Wie möchten Sie bezahlen?");
});
