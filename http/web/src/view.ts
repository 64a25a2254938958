// SPDX-License-Identifier: MIT
// The details of one torrent, asked for again while they are looked at.
import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get } from './api';
import { cause } from './link';

export interface PeerView {
  ID: string; host: string; client: string; downrate: number; uprate: number; downloaded: number; uploaded: number; connected: boolean;
  relevence: number; incoming: boolean; encryption: string; choking_us: boolean; interested_in_us: boolean; choked: boolean; interesting: boolean;
}
export interface TrackerView {
  url: string; status: string; leechers: number; seeders: number; peers: number; nextannounce: string | null; tier: number; message: string | null;
}
export interface WebSeedView { url: string; state: string; downloaded: number; error: string | null }
export interface FileView { index: number; path: string; length_bytes: number; done_bytes: number; priority: string }
export interface Facts {
  wasted_ever: number; downloaded_ever: number; uploaded_ever: number; failed_pieces: number; piece_length: number; pieces_have: number;
  bitfield_base64: string; bitfield_length: number; magnet: string | null; maxdown: number; maxup: number;
}

const EVERY = 2000; // ms
const RARELY = 10_000; // ms, of answers that are long
const LONG = 2000; // files

// null: it has not come yet.  What is asked for is what is shown.
export function useView<T>(hash: string, params: Record<string, string | boolean>): { data: Signal<T | null>; again: () => void } {
  const data = useSignal<T | null>(null), round = useSignal(0);
  useEffect(() => {
    let over = false, timer = 0;
    const turn = async () => {
      if (!document.hidden && cause.value === null) {
        try {
          const view = await get<T>('torrentdata', { infohash: hash, ...params });
          if (!over) data.value = view;
        } catch {
          // the list says that there is no connection, or that the torrent is gone
        }
      }
      const files = (data.value as { files?: unknown[] } | null)?.files?.length ?? 0;
      if (!over) timer = window.setTimeout(() => void turn(), files > LONG ? RARELY : EVERY);
    };
    void turn();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [hash, JSON.stringify(params), round.value]);
  return { data, again: () => { round.value++; } };
}
