// SPDX-License-Identifier: MIT
// Which pieces are there, as a strip: each column is a share of all pieces, as high as it is complete.
import { useEffect, useRef } from 'preact/hooks';

const COLUMNS = 256;

// The share of pieces in each column that are there.
export function shares(bits: string, count: number, columns: number): number[] {
  const raw = atob(bits), out: number[] = [];
  for (let c = 0; c < columns; c++) {
    const from = Math.floor((c * count) / columns), to = Math.max(from + 1, Math.floor(((c + 1) * count) / columns));
    let have = 0;
    for (let i = from; i < to && i < count; i++) have += (raw.charCodeAt(i >> 3) >> (7 - (i & 7))) & 1;
    out.push(have / (to - from));
  }
  return out;
}

export function Pieces({ bits, count, label }: { bits: string; count: number; label: string }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = ref.current!, columns = Math.min(COLUMNS, count), style = getComputedStyle(canvas);
    canvas.width = columns;
    canvas.height = 24;
    const draw = canvas.getContext('2d')!;
    draw.fillStyle = style.getPropertyValue('--track');
    draw.fillRect(0, 0, columns, 24);
    draw.fillStyle = style.getPropertyValue('--accent');
    shares(bits, count, columns).forEach((share, c) => draw.fillRect(c, 24 * (1 - share), 1, 24 * share));
  }, [bits, count]);
  return <canvas ref={ref} class="pieces" role="img" aria-label={label} />;
}
