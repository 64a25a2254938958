// SPDX-License-Identifier: MIT
// The icons, 24 px lines, as one sprite that is put into the document once.

const PATHS = {
  down: 'M12 4v11m-5-5 5 5 5-5M5 20h14',
  up: 'M12 20V9m-5 5 5-5 5 5M5 4h14',
  done: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm-4 9 3 3 5-6',
  check: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20 20',
  meta: 'M6 4v8a6 6 0 0 0 12 0V4M6 8h4V4H6m12 4h-4V4h4',
  idle: 'M9 5v14M15 5v14',
  queued: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 4v5l3 2',
  error: 'M12 4 2.5 20h19L12 4Zm0 6v4m0 3v.5',
  add: 'M12 5v14M5 12h14',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20 20',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  close: 'M6 6l12 12M18 6 6 18',
  back: 'M15 5l-7 7 7 7',
  forth: 'M9 5l7 7-7 7',
  open: 'M5 9l7 7 7-7',
  play: 'M8 5l11 7-11 7V5Z',
  pause: 'M9 5v14M15 5v14',
  sort: 'M7 5v14m-3-3 3 3 3-3M17 19V5m-3 3 3-3 3 3',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  paste: 'M9 4h6v3H9V4ZM9 5H6v15h12V5h-3',
  file: 'M7 3h7l4 4v14H7V3Zm7 0v4h4',
  folder: 'M3 6h6l2 2h10v11H3V6Z',
  settings: 'M4 7h10m4 0h2M4 17h2m4 0h10M14 5v4M8 15v4',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 4v5l3 2',
  tick: 'M5 12.5l5 5 9-11',
  copy: 'M9 9h11v11H9V9ZM5 15H4V4h11v1',
  key: 'M15 4a5 5 0 1 0 0 10 5 5 0 0 0 0-10ZM11 12l-8 8m3-3 3 3',
  speed: 'M4 18a9 9 0 1 1 16 0M12 15l4-5',
} as const;

export type IconName = keyof typeof PATHS;

const SVG = 'http://www.w3.org/2000/svg';

export function addSprite(): void {
  const sprite = document.createElementNS(SVG, 'svg');
  sprite.setAttribute('aria-hidden', 'true');
  sprite.setAttribute('class', 'sprite');
  for (const [name, d] of Object.entries(PATHS)) {
    const symbol = document.createElementNS(SVG, 'symbol'), path = document.createElementNS(SVG, 'path');
    symbol.id = `i-${name}`;
    symbol.setAttribute('viewBox', '0 0 24 24');
    path.setAttribute('d', d);
    symbol.append(path);
    sprite.append(symbol);
  }
  document.body.prepend(sprite);
}
