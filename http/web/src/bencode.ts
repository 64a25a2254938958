// SPDX-License-Identifier: MIT
// What a .torrent file says of itself: name and files, read before it is sent.

type Value = number | Uint8Array | Value[] | Map<string, Value>;
export interface TorrentFile { index: number; path: string; length: number }
export interface TorrentInfo { name: string; size: number; files: TorrentFile[] }

const DEPTH = 32;
const text = new TextDecoder();

class Reader {
  at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  private digits(end: number): number {
    const from = this.at;
    while (this.at < this.bytes.length && this.bytes[this.at] !== end) this.at++;
    if (this.at - from > 20 || this.at >= this.bytes.length) throw new Error('number');
    const value = Number(text.decode(this.bytes.subarray(from, this.at++)));
    if (!Number.isSafeInteger(value)) throw new Error('number');
    return value;
  }

  private string(): Uint8Array {
    const n = this.digits(0x3a);
    if (n < 0 || n > this.bytes.length - this.at) throw new Error('string');
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  value(depth = 0): Value {
    if (depth > DEPTH) throw new Error('depth');
    const c = this.bytes[this.at];
    if (c === 0x69) {
      this.at++;
      return this.digits(0x65);
    }
    if (c !== 0x6c && c !== 0x64) return this.string();
    this.at++;
    const list: Value[] = [], map = new Map<string, Value>();
    while (this.bytes[this.at] !== 0x65) {
      if (this.at >= this.bytes.length) throw new Error('end');
      if (c === 0x6c) list.push(this.value(depth + 1));
      else map.set(text.decode(this.string()), this.value(depth + 1));
    }
    this.at++;
    return c === 0x6c ? list : map;
  }
}

const word = (v: Value | undefined): string => (v instanceof Uint8Array ? text.decode(v) : '');
const count = (v: Value | undefined): number => (typeof v === 'number' && v >= 0 ? v : 0);

function filesOf(list: Value[], name: string): TorrentFile[] {
  const files: TorrentFile[] = [];
  list.forEach((entry, index) => {
    if (!(entry instanceof Map) || word(entry.get('attr')).includes('p')) return; // pad files are nobody's business
    const path = entry.get('path.utf-8') ?? entry.get('path');
    if (Array.isArray(path)) files.push({ index, path: [name, ...path.map(word)].join('/'), length: count(entry.get('length')) });
  });
  return files;
}

// null: it is no torrent.
export function torrentInfo(bytes: Uint8Array): TorrentInfo | null {
  try {
    const root = new Reader(bytes).value();
    const info = root instanceof Map ? root.get('info') : undefined;
    if (!(info instanceof Map)) return null;
    const name = word(info.get('name.utf-8') ?? info.get('name'));
    const list = info.get('files');
    const files = Array.isArray(list) ? filesOf(list, name) : [{ index: 0, path: name, length: count(info.get('length')) }];
    return { name, files, size: files.reduce((n, f) => n + f.length, 0) };
  } catch {
    return null;
  }
}
