// SPDX-License-Identifier: MIT
// Torrents made on the spot, whose content follows from their name.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

function bencode(value) {
  if (typeof value === 'number') return Buffer.from(`i${value}e`);
  if (typeof value === 'string') value = Buffer.from(value);
  if (Buffer.isBuffer(value)) return Buffer.concat([Buffer.from(`${value.length}:`), value]);
  if (Array.isArray(value)) return Buffer.concat([Buffer.from('l'), ...value.map(bencode), Buffer.from('e')]);
  const keys = Object.keys(value).sort();
  return Buffer.concat([Buffer.from('d'), ...keys.flatMap(k => [bencode(k), bencode(value[k])]), Buffer.from('e')]);
}

// Bytes that look like noise and follow from a word.
function noise(word, size) {
  const block = createHash('sha512').update(word).digest(), out = Buffer.alloc(size);
  for (let at = 0; at < size; at += 64) {
    block.writeUInt32LE(at, 0);
    block.copy(out, at, 0, Math.min(64, size - at));
  }
  return out;
}

// files: a size, or a list of [path, size].
export class Torrent {
  constructor(name, files, { pieceLength = 32768, trackers = [], content = null } = {}) {
    this.name = name;
    this.files = Array.isArray(files) ? files : [[null, files]];
    this.size = this.files.reduce((n, [, size]) => n + size, 0);
    this.content = content ?? noise(name, this.size);
    const hashes = [];
    for (let at = 0; at < this.size; at += pieceLength)
      hashes.push(createHash('sha1').update(this.content.subarray(at, at + pieceLength)).digest());
    const info = { name, 'piece length': pieceLength, pieces: Buffer.concat(hashes) };
    if (Array.isArray(files)) info.files = files.map(([path, length]) => ({ length, path: path.split('/') }));
    else info.length = files;
    this.hash = createHash('sha1').update(bencode(info)).digest('hex');
    this.data = bencode(trackers.length > 0 ? { announce: trackers[0], 'announce-list': trackers.map(t => [t]), info } : { info });
  }

  magnet(peer) {
    return `magnet:?xt=urn:btih:${this.hash}&dn=${encodeURIComponent(this.name)}${peer ? `&x.pe=${peer}` : ''}`;
  }

  path(folder, file = null) {
    return join(folder, this.name, ...(file ? [file] : []));
  }

  // Puts the content on disk, so that it can be seeded.
  write(folder) {
    let at = 0;
    for (const [file, size] of this.files) {
      mkdirSync(dirname(this.path(folder, file)), { recursive: true });
      writeFileSync(this.path(folder, file), this.content.subarray(at, at + size));
      at += size;
    }
  }
}
