// SPDX-License-Identifier: MIT
// Rates as people type them: "2 MiB/s", "500k", "20 Mbit"; a bare number is KiB/s, as in the API; "Mbps" are bits.

const FACTORS: Record<string, number> = {
  '': 1024, b: 1, k: 1024, kib: 1024, kb: 1000, m: 1024 ** 2, mib: 1024 ** 2, mb: 1000 ** 2, g: 1024 ** 3, gib: 1024 ** 3, gb: 1000 ** 3,
  kbit: 1000 / 8, mbit: 1000 ** 2 / 8, gbit: 1000 ** 3 / 8,
};

// Bytes a second; 0: no limit; null: it is no rate.
export function parseRate(text: string): number | null {
  const match = /^\s*(\d+(?:[.,]\d+)?)?\s*([a-z]*?)(?:\/s|ps)?\s*$/i.exec(text.replace(/([kmg])bps\s*$/i, '$1bit'));
  const factor = FACTORS[match?.[2]?.toLowerCase() ?? '?'];
  if (!match || factor === undefined) return null;
  if (match[1] === undefined) return text.trim() === '' ? 0 : null;
  return Math.round(Number(match[1].replace(',', '.')) * factor);
}
