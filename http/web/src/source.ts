// SPDX-License-Identifier: MIT
// What can be added, found in text and files: magnet links, info-hashes, torrents.
import { request } from './api';
import { type TorrentInfo, torrentInfo } from './bencode';

export type Source =
  | { kind: 'magnet'; key: string; name: string; url: string }
  | { kind: 'file'; key: string; name: string; bytes: Uint8Array; info: TorrentInfo; skip: number[] }
  | { kind: 'bad'; key: string; name: string; why: 'link' | 'text' | 'file' };

export interface Options { path: string; start: boolean; sequential: boolean; top: boolean; chooseFirst: boolean }

// A key that no other request has, also where the page came by plain http.
export const keyOf = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('');

function fromMagnet(url: string): Source {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1));
  const hash = query.getAll('xt').map(x => x.split(':').pop() ?? '')[0] ?? '';
  return { kind: 'magnet', key: hash.toLowerCase() || url, name: query.get('dn') || hash || url, url };
}

function fromWord(word: string): Source {
  if (/^magnet:\?/i.test(word)) return fromMagnet(word);
  if (/^([0-9a-f]{40}|[0-9a-f]{64}|[a-z2-7]{32})$/i.test(word))
    return { kind: 'magnet', key: word.toLowerCase(), name: word, url: `magnet:?xt=urn:btih:${word}` };
  return { kind: 'bad', key: word, name: word.slice(0, 200), why: /^https?:\/\//i.test(word) ? 'link' : 'text' };
}

// One for each line, and several on a line where blanks are between them.
export function sourcesFrom(text: string): Source[] {
  return text.split(/\s+/).filter(Boolean).slice(0, 200).map(fromWord);
}

// Whether it is worth showing without being asked for: the clipboard may hold anything.
export const isSource = (text: string): boolean => sourcesFrom(text).some(s => s.kind === 'magnet');

export async function sourceOf(file: File): Promise<Source> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const info = torrentInfo(bytes);
  if (!info) return { kind: 'bad', key: file.name, name: file.name, why: 'file' };
  return { kind: 'file', key: `${info.name}/${info.size}`, name: info.name || file.name, bytes, info, skip: [] };
}

// "0,3-5" of 0, 3, 4, 5, in rising order.
export function ranges(indices: number[]): string {
  const out: string[] = [];
  for (let i = 0; i < indices.length; ) {
    let j = i;
    while (j + 1 < indices.length && indices[j + 1] === indices[j]! + 1) j++;
    out.push(i === j ? `${indices[i]}` : `${indices[i]}-${indices[j]}`);
    i = j + 1;
  }
  return out.join(',');
}

interface Look { preview: string; skip: number[] }

// What is wished of it, without what is as it always is.
function wishes(o: Options, skip: number[]): Record<string, unknown> {
  return {
    ...(o.path ? { path: o.path } : {}), ...(o.start ? {} : { start: false }), ...(o.sequential ? { sequential: true } : {}), ...(o.top ? { top: true } : {}),
    ...(o.chooseFirst ? { choose_first: true } : {}),
    ...(skip.length > 0 ? { files: { skip: ranges(skip) } } : {}),
  };
}

// key: the same one when it is sent again.
export async function send(source: Source, o: Options, key: string, look?: Look): Promise<void> {
  const headers = { 'Idempotency-Key': key };
  if (source.kind === 'magnet') {
    const what = look ? { preview: look.preview } : { magnet: source.url };
    await request('POST', 'api/v1/torrents', { body: { ...what, ...wishes({ ...o, chooseFirst: o.chooseFirst && !look }, look?.skip ?? []) }, headers });
  } else if (source.kind === 'file') {
    const params = { path: o.path || undefined, start: o.start, sequential: o.sequential || undefined, top: o.top || undefined, skip: ranges(source.skip) || undefined };
    await request('POST', 'addtorrentfile', { params, body: new Blob([source.bytes as BlobPart]), headers });
  }
}
