// The conversation about the hunks of one file: shows one, asks, and does what the key says, until all are decided, the person goes on to the
// next file, or there are no more answers. Nothing is changed here. The keys and words are those of git's `add -p`.
import type { Context } from '../../plumbing/command.js';
import { CairnError } from '../../pack/errors.js';
import { parsePattern } from '../../plumbing/posix-regex.js';
import { type ChoosingMode, formatKeys, formatQuestion } from './choosing-mode.js';
import type { Choice } from './file-content.js';
import { type FilePatch, type Hunk, countParts, formatHunk, splitHunk, summarizeHunk } from './file-patch.js';

/** What is asked about. */
interface Item {
  /** Undefined: the mode, the deletion, or the addition of an empty file. */
  readonly hunk: Hunk | undefined;
  readonly text: string;
  choice: 'open' | 'yes' | 'no';
}

/** How the conversation looks on a terminal; empty strings without colours. */
export interface ChooserStyle {
  readonly prompt: string;
  readonly help: string;
  readonly header: string;
  readonly error: string;
  readonly reset: string;
  /** Colours a part of a patch. */
  readonly paint: (text: string) => string;
}

/** Where answers come from: a line each; undefined when there are no more. */
export interface Answers {
  next(): string | undefined;
}

export interface ChooserSetting {
  readonly context: Context;
  readonly mode: ChoosingMode;
  readonly style: ChooserStyle;
  readonly answers: Answers;
  /** The hunk as the person changed it; undefined when it stays as it is. */
  readonly edit: (hunk: Hunk, hunks: readonly Hunk[], at: number) => Hunk | undefined;
}

const listedLines = 20;

export class HunkChooser {
  readonly #setting: ChooserSetting;
  readonly #patch: FilePatch;
  #items: Item[];
  #at = 0;
  /** What was possible once stays possible for this file, as in git: going on from the last hunk leads to the first. */
  readonly #possible = new Set<string>();

  constructor(setting: ChooserSetting, patch: FilePatch) {
    this.#setting = setting;
    this.#patch = patch;
    const whole = (text: string): Item => ({ hunk: undefined, text, choice: 'open' });
    const hunks = patch.hunks.map(itemOf);
    if (patch.deletion !== undefined) this.#items = [whole(patch.deletion)];
    else if (patch.modeChange !== undefined) this.#items = [whole(patch.modeChange), ...hunks];
    else this.#items = hunks.length === 0 && patch.isAddition ? [whole('')] : hunks;
  }

  /** True when there is something to ask. */
  get hasQuestions(): boolean {
    return this.#items.length > 0;
  }

  get choice(): Choice {
    const chosen = this.#items.filter(({ choice }) => choice === 'yes');
    const isWhole = chosen.some(({ hunk }) => hunk === undefined);
    return {
      mode: isWhole && this.#patch.modeChange !== undefined, whole: isWhole && this.#patch.modeChange === undefined,
      hunks: chosen.flatMap(({ hunk }) => (hunk === undefined ? [] : [hunk])),
    };
  }

  /** Asks; 'quit' when the person wants to hear of no further file. */
  ask(): 'done' | 'quit' {
    this.#print(this.#setting.style.paint(this.#patch.header));
    for (;;) {
      if (this.#at < 0 || this.#at >= this.#items.length) this.#at = 0;
      const item = this.#items[this.#at]!;
      const previous = this.#items.findLastIndex(({ choice }, at) => at < this.#at && choice === 'open');
      const next = this.#items.findIndex(({ choice }, at) => at > this.#at && choice === 'open');
      if (previous < 0 && next < 0 && item.choice !== 'open') return 'done';
      const keys = this.#keys(item, previous, next);
      this.#print(this.#setting.style.paint(item.text));
      this.#prompt(`(${this.#at + 1}/${this.#items.length}) ${formatQuestion(this.#setting.mode, this.#about(), keys)}`);
      const answer = this.#setting.answers.next();
      if (answer === undefined) return 'done';
      if (answer === '') continue;
      const outcome = this.#obey(answer, item, keys, previous, next);
      if (outcome !== undefined) return outcome;
    }
  }

  #about(): 'hunk' | 'deletion' | 'addition' | 'mode change' {
    if (this.#patch.deletion !== undefined) return 'deletion';
    if (this.#patch.isAddition) return 'addition';
    return this.#patch.modeChange !== undefined && this.#at === 0 ? 'mode change' : 'hunk';
  }

  /** The keys beyond the usual, as they are listed. */
  #keys({ hunk }: Item, previous: number, next: number): string {
    // An empty file that comes has nothing to go to.
    if (this.#patch.isAddition && this.#patch.hunks.length === 0) return '';
    const keys = [
      ...(previous >= 0 ? ['k'] : []), ...(this.#at > 0 ? ['K'] : []), ...(next >= 0 ? ['j'] : []), ...(this.#at + 1 < this.#items.length ? ['J'] : []),
      ...(this.#items.length > 1 ? ['g', '/'] : []), ...(hunk !== undefined && countParts(hunk) > 1 ? ['s'] : []), ...(hunk === undefined ? [] : ['e']),
    ];
    for (const key of keys) this.#possible.add(key);
    return keys.map((key) => `,${key}`).join('');
  }

  #obey(answer: string, item: Item, keys: string, previous: number, next: number): 'done' | 'quit' | undefined {
    const goOn = (): void => { this.#at = next < 0 ? this.#items.length : next; };
    switch (answer[0]!) {
      case 'y': case 'Y': item.choice = 'yes'; goOn(); return undefined;
      case 'n': case 'N': item.choice = 'no'; goOn(); return undefined;
      case 'a': case 'A': this.#decideRest('yes'); return undefined;
      case 'd': case 'D': this.#decideRest('no'); return undefined;
      case 'q': case 'Q': this.#decideRest('no'); return 'quit';
      case 'K': this.#go('K', this.#at - 1, 'No previous hunk'); return undefined;
      case 'J': this.#go('J', this.#at + 1, 'No next hunk'); return undefined;
      case 'k': this.#go('k', previous, 'No previous hunk'); return undefined;
      case 'j': this.#go('j', next, 'No next hunk'); return undefined;
      case 'g': this.#goTo(answer.slice(1).trim()); return undefined;
      case '/': return this.#search(answer.slice(1), keys);
      case 's': this.#split(item); return undefined;
      case 'e': if (this.#edit(item)) goOn(); return undefined;
      default: this.#print(this.#colored(this.#setting.style.help, formatKeys(this.#setting.mode, keys))); return undefined;
    }
  }

  #decideRest(choice: 'yes' | 'no'): void {
    for (const item of this.#items.slice(this.#at)) if (item.choice === 'open') item.choice = choice;
    this.#at = this.#items.length;
  }

  #go(key: string, to: number, otherwise: string): void {
    if (this.#possible.has(key)) this.#at = to;
    else this.#complain(otherwise);
  }

  #goTo(typed: string): void {
    if (!this.#possible.has('g')) return this.#complain('No other hunks to goto');
    const first = this.#patch.modeChange === undefined ? 0 : 1;
    let at = Math.max(this.#at - listedLines / 2, first);
    let answer: string | undefined = typed;
    while (answer === '') {
      for (let end = Math.min(at + listedLines, this.#items.length); at < end; at += 1) this.#print(this.#listing(at));
      this.#print(at < this.#items.length ? 'go to which hunk (<ret> to see more)? ' : 'go to which hunk? ');
      answer = this.#setting.answers.next();
    }
    const word = (answer ?? '').trim();
    if (!/^[-+]?[0-9]+$/.test(word)) return this.#complain(`Invalid number: '${word}'`);
    const count = this.#items.length;
    if (Number(word) > 0 && Number(word) <= count) this.#at = Number(word) - 1;
    else this.#complain(`Sorry, only ${count} hunk${count === 1 ? '' : 's'} available.`);
  }

  #listing(at: number): string {
    const { choice, hunk, text } = this.#items[at]!;
    const sign = choice === 'yes' ? '+' : choice === 'no' ? '-' : ' ';
    return `${sign}${String(at + 1).padStart(2)}: ${hunk === undefined ? text : summarizeHunk(hunk)}`;
  }

  /** 'done' when the answers end. */
  #search(typed: string, keys: string): 'done' | undefined {
    if (!this.#possible.has('/')) {
      this.#complain('No other hunks to search');
      return undefined;
    }
    let words: string | undefined = typed;
    if (words === '') {
      this.#print('search for regex? ');
      words = this.#setting.answers.next();
      if (words === undefined) return 'done';
      if (words === '') return undefined;
    }
    let pattern: RegExp;
    try {
      pattern = new RegExp(parsePattern(words, 'extended', { lines: true }), 'm');
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
      this.#complain(`Malformed search regexp ${words}: ${error.message}`);
      return undefined;
    }
    for (let step = 0; step < this.#items.length; step += 1) {
      const at = (this.#at + step) % this.#items.length;
      // Git looks at the keys it offered, too.
      if (!pattern.test(step === 0 ? keys + this.#items[at]!.text : this.#items[at]!.text)) continue;
      this.#at = at;
      return undefined;
    }
    this.#complain('No hunk matches the given pattern');
    return undefined;
  }

  #split({ hunk, choice }: Item): void {
    if (hunk === undefined || !this.#possible.has('s')) return this.#complain('Sorry, cannot split this hunk');
    const parts = splitHunk(hunk);
    this.#items.splice(this.#at, 1, ...parts.map((part): Item => ({ ...itemOf(part), choice })));
    this.#print(`${this.#colored(this.#setting.style.header, `Split into ${parts.length} hunks.`)}\n`);
  }

  #edit(item: Item): boolean {
    const { hunk } = item;
    if (hunk === undefined || !this.#possible.has('e')) {
      this.#complain('Sorry, cannot edit this hunk');
      return false;
    }
    const hunks = this.#items.flatMap((one) => (one.hunk === undefined ? [] : [one.hunk]));
    const edited = this.#setting.edit(hunk, hunks, hunks.indexOf(hunk));
    if (edited === undefined) return false;
    this.#items[this.#at] = { ...itemOf(edited), choice: 'yes' };
    return true;
  }

  #prompt(text: string): void {
    this.#print(this.#colored(this.#setting.style.prompt, text));
    this.#setting.context.stdout.flush();
  }

  #complain(text: string): void {
    this.#setting.context.stderr.write(`${this.#colored(this.#setting.style.error, text)}\n`);
  }

  #colored(color: string, text: string): string {
    return color === '' ? text : `${color}${text}${this.#setting.style.reset}`;
  }

  #print(text: string): void {
    this.#setting.context.stdout.write(Buffer.from(text, 'latin1'));
  }
}

function itemOf(hunk: Hunk): Item {
  return { hunk, text: formatHunk(hunk), choice: 'open' };
}
