// Refs that are not shown to others: transfer.hideRefs, receive.hideRefs and uploadpack.hideRefs (git-config(1)). Nothing is written.
import { InvalidError } from '../../pack/errors.js';
import type { Config } from '../config.js';
import { encodeRefName } from './ref-name.js';

/** Who is being served: 'receive' when others push here, 'uploadpack' when they fetch. */
export type HidingSection = 'receive' | 'uploadpack';

/** `text` as a section; InvalidError (code 'bad-section') for any other. */
export function parseHidingSection(text: string): HidingSection {
  if (text !== 'receive' && text !== 'uploadpack') throw new InvalidError(`unsupported section for hidden refs: ${text}`, { code: 'bad-section' });
  return text;
}

/** A test for full names: true for a ref that `section` hides. Of several rules that fit a name the last one counts. */
export function readHiddenRefs(config: Config, section: HidingSection): (name: string) => boolean {
  const rules: { readonly hides: boolean; readonly prefix: string }[] = [];
  for (const { name, raw } of config.list()) {
    if (name !== 'transfer.hiderefs' && name !== `${section}.hiderefs`) continue;
    if (raw === undefined) throw new InvalidError(`missing value for '${name}'`, { code: 'bad-config-value' });
    // A '^' asks for the name before namespaces are taken off, which is the only one there is here.
    const [, negation, prefix] = /^(!?)\^?([^]*?)\/*$/.exec(raw)!;
    rules.unshift({ hides: negation === '', prefix: prefix! });
  }
  return (name) => {
    const bytes = encodeRefName(name);
    return rules.find(({ prefix }) => bytes === prefix || bytes.startsWith(`${prefix}/`))?.hides ?? false;
  };
}
