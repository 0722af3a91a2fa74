// Random histories, and random steps of stash, cherry-pick, revert and rebase on them, beside stock git. The seed is in the test's name.
import test from 'ava';
import { compareScript } from '../../helpers/side-by-side.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

/** A small generator of numbers below 1, the same for the same seed. */
function makeRandom(seed: number): () => number {
  let state = seed + 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

class Generator {
  readonly #random: () => number;
  readonly #branches = ['main'];

  constructor(seed: number) {
    this.#random = makeRandom(seed);
  }

  #number(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #one(words: readonly string[]): string {
    return words[this.#number(words.length)]!;
  }

  #change(mark: number): string {
    const line = this.#number(10) + 1;
    return this.#one([`sed -i ${line}s/$/+${mark}/ f`, `sed -i ${line}s/.*/${mark}/ g`, `echo ${mark} > n${mark % 4}`, `echo ${mark} >> f`, `rm -f n${mark % 4}`, `mkdir -p e && echo ${mark} > e/n${mark % 3}`]);
  }

  history(): string {
    const lines = ['seq 12 > f; seq 10 > g; git add .; git commit -qm base; git config core.editor :'];
    for (let at = 1; at <= 8; at += 1) {
      const turn = this.#random();
      if (turn < 0.3 && this.#branches.length < 3) {
        const branch = `b${this.#branches.length}`;
        this.#branches.push(branch);
        lines.push(`git checkout -qb ${branch}`);
      } else if (turn < 0.5) lines.push(`git checkout -q ${this.#one(this.#branches)}`);
      lines.push(`${this.#change(at)}; git add -A; GIT_AUTHOR_DATE="${1_112_912_000 + at * 60} +0200" git commit -q --allow-empty -m "c${at}"`);
    }
    return `${lines.join('\n')}\ngit checkout -q ${this.#one(this.#branches)}`;
  }

  #revision(): string {
    return this.#one(this.#branches) + this.#one(['', '', '~1', '~2']);
  }

  steps(count: number): string {
    return Array.from({ length: count }, (_, at) => this.#step(100 + at)).join('\n');
  }

  #step(mark: number): string {
    const [one, two] = [this.#revision(), this.#revision()];
    return this.#one([
      this.#change(mark), `${this.#change(mark)}; git add -A`, 'git add -A', 'git checkout -q --theirs .; git add -A', '$ status', 'git reset -q --hard',
      '$ stash', '$ stash -u', '$ stash -k', '$ stash pop', '$ stash apply', '$ stash list', '$ stash drop',
      `$ cherry-pick ${one}`, `$ cherry-pick -x ${one}..${two}`, `$ cherry-pick ${one} ${two}`, `$ revert ${one}`, `$ revert --no-edit ${one}..${two}`, `$ cherry-pick -n ${one}`,
      '$ cherry-pick --continue', '$ cherry-pick --skip', '$ cherry-pick --abort', '$ revert --abort', '$ revert --continue',
      `$ rebase ${one}`, `$ rebase -f ${one}`, `$ rebase --autostash ${one}`, `$ rebase --onto ${one} ${two}`, `$ rebase -x true ${one}`,
      '$ rebase --continue', '$ rebase --skip', '$ rebase --abort', '$ rebase --abort',
    ]);
  }
}

for (const seed of [1, 2, 3, 4]) {
  test(`random steps leave what git leaves (seed ${seed})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const generator = new Generator(seed);
    await compareScript(t, 'sha1', generator.history(), generator.steps(14));
  });
}
