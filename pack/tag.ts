// Annotated tags: "object", "type", "tag", "tagger" (missing in very old ones), other headers, an empty line, the message
// (which ends in the signature, when there is one). As git-mktag(1) describes.
import { encodeExtraHeaders, splitHeaders } from './commit.js';
import type { ExtraHeader } from './commit.js';
import { CorruptError, InvalidError } from './errors.js';
import { formatIdent, parseIdentLoosely } from './ident.js';
import type { Ident } from './ident.js';
import { isObjectType } from './object.js';
import { isObjectId } from './oid.js';
import type { ObjectFormat, ObjectId, ObjectType } from './oid.js';

export interface Tag {
  readonly object: ObjectId;
  /** Of the object, as the tag claims. */
  readonly type: ObjectType;
  /** latin1 bytes. */
  readonly name: string;
  readonly tagger?: Ident;
  readonly extraHeaders?: readonly ExtraHeader[];
  readonly message: Buffer;
}

/** CorruptError when object, type or tag are missing or out of order. */
export function decodeTag(bytes: Buffer, format: ObjectFormat): Tag {
  const { headers, messageAt } = splitHeaders(bytes);
  const [object, type, name] = headers;
  if (object?.key !== 'object' || !isObjectId(object.value, format)) throw damaged('its object line is missing or malformed');
  if (type?.key !== 'type' || !isObjectType(type.value)) throw damaged('its type line is missing or malformed');
  if (name?.key !== 'tag') throw damaged('its name is missing');
  const tagger = headers[3]?.key === 'tagger' ? headers[3] : undefined;
  const extraHeaders = headers.slice(tagger ? 4 : 3);
  return {
    object: object.value,
    type: type.value,
    name: name.value,
    ...(tagger ? { tagger: parseIdentLoosely(tagger.value) } : {}),
    ...(extraHeaders.length > 0 ? { extraHeaders } : {}),
    message: bytes.subarray(messageAt),
  };
}

function damaged(what: string): CorruptError {
  return new CorruptError(`tag is damaged: ${what}`, { code: 'bad-tag' });
}

/** The bytes of a tag; InvalidError when a field would break the header's lines. */
export function encodeTag(tag: Tag): Buffer {
  const lines = [`object ${tag.object}`, `type ${tag.type}`, `tag ${tag.name}`];
  if (tag.tagger) lines.push(`tagger ${formatIdent(tag.tagger)}`);
  for (const line of lines) {
    if (/[\n\0]/.test(line)) throw new InvalidError(`'${line}' cannot be a line of a tag`, { code: 'bad-header' });
  }
  lines.push(...encodeExtraHeaders(tag.extraHeaders ?? []));
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\n\n`, 'latin1'), tag.message]);
}
