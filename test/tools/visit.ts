// What a person does at pages of the web UI: goes there, reads, clicks, types. Each is counted, with what the browser met on the way.

import type { Browser } from './browser.ts';

/** A page's path, and what is to be read there. */
export type Page = readonly [path: string, ...says: readonly string[]];

export class Visit {
  readonly browser: Browser;
  readonly #base: string;
  readonly #outcome: { passed: number; failed: number };
  readonly #say: (line: string) => void;

  constructor(
    browser: Browser,
    base: string,
    outcome: { passed: number; failed: number },
    say: (line: string) => void,
  ) {
    this.browser = browser;
    this.#base = base;
    this.#outcome = outcome;
    this.#say = say;
  }

  async goTo(path: string): Promise<void> {
    await this.browser.goTo(this.#base + path);
  }

  async page([path, ...says]: Page): Promise<void> {
    await this.goTo(path);
    await this.done(path, await this.waitFor(says));
  }

  /** Until the page says all of that, in whatever case. */
  async waitFor(says: readonly string[]): Promise<boolean> {
    const shows = says.map(
      (text) =>
        `document.body.innerText.replace(/\\s+/g, ' ').toLowerCase().includes(${JSON.stringify(text.toLowerCase())})`,
    );
    const isThere = `location.href.startsWith(${JSON.stringify(this.#base)}) && ${shows.join(' && ')}`;
    return this.browser.waitUntil(isThere);
  }

  /** Counts it, with what the browser met on the way. */
  async done(what: string, isThere: boolean): Promise<void> {
    const troubles = this.browser.takeTroubles();
    if (isThere && troubles.length === 0) {
      this.#outcome.passed += 1;
      return;
    }
    this.#outcome.failed += 1;
    const shown = isThere ? '' : `\nit shows: ${(await this.browser.text()).replaceAll(/\s+/g, ' ').slice(0, 600)}`;
    this.#say(
      `FAILED  ${what}: ${isThere ? 'something was refused' : 'it never shows what it should'} ${troubles.join('; ')}${shown}`,
    );
  }

  /** Clicks the button with this text, once it can be clicked. */
  async click(text: string): Promise<void> {
    await this.#press(
      `[...document.querySelectorAll('button, a')]`,
      `one.getClientRects().length > 0 && one.innerText.trim() === ${JSON.stringify(text)}`,
    );
  }

  /** The shown one of those that this selector finds: pages have some of their parts twice, for wide and narrow windows. */
  async press(selector: string): Promise<void> {
    await this.#press(`[...document.querySelectorAll(${JSON.stringify(selector)})]`, 'one.getClientRects().length > 0');
  }

  /** An item of a menu that need not be open. */
  async choose(item: string): Promise<void> {
    const items = `document.querySelectorAll('[data-testid=${item}]')`;
    if (!(await this.browser.waitUntil(`${items}.length > 0`))) return;
    await this.browser.evaluate(`${items}.forEach((one) => one.click())`);
  }

  /** An option of a list that opens by its button. */
  async select(list: string, option: string): Promise<void> {
    await this.press(`[data-testid=${list}-button]`);
    const options = `[...document.querySelectorAll('[role=option]')]`;
    await this.#press(options, `one.getClientRects().length > 0 && one.innerText.trim() === ${JSON.stringify(option)}`);
  }

  /** Says yes, once that may be said. */
  async confirm(): Promise<void> {
    await this.press('[data-testid=confirm-modal-button]');
  }

  async #press(all: string, isIt: string): Promise<void> {
    const found = `${all}.find((one) => ${isIt} && !one.disabled)`;
    if (await this.browser.waitUntil(found)) await this.browser.evaluate(`${found}.click()`);
  }

  /** Types into the field of this selector, as the page's framework notices it. */
  async fill(selector: string, text: string): Promise<void> {
    const field = `document.querySelector(${JSON.stringify(selector)})`;
    if (!(await this.browser.waitUntil(field))) return;
    await this.browser.evaluate(
      `(() => { const field = ${field}; field.focus(); field.value = ${JSON.stringify(text)}; field.dispatchEvent(new Event('input', { bubbles: true })); field.dispatchEvent(new Event('change', { bubbles: true })); })()`,
    );
  }
}
