// SPDX-License-Identifier: MIT
// Languages that nobody speaks, made of English: one a third longer and full of marks, one that runs from right to left.
// What is not marked in them is not in the catalogue; what is cut off in them will be in others.
import { en } from './en';
import type { Words } from './index';

const PLAIN = 'abcdeghijklmnopqrstuvwyzABCDEGHIJKLMNOPRSTUWYZ';
const MARKED = 'åƀçďéĝĥîĵķļɱñöþqŕšţûṽŵýžÅƁÇĎÉĜĤÎĴĶĻḾÑÖÞŔŠŢÛŴÝŽ';
const marks = new Map([...PLAIN].map((c, i) => [c, MARKED[i]!]));
const HOLE = 0xe000; // stands for what is put into a text, which stays as it is

const accented = (text: string): string => {
  const body = [...text].map(c => marks.get(c) ?? c).join('');
  return `${body}${'·'.repeat(Math.ceil(text.length * 0.35))}`;
};
const mirrored = (text: string): string => text.replace(/[A-Za-z]+/g, word => `\u202e${word}\u202c`);

type Change = (text: string) => string;

// A function of the catalogue is called with a hole in the place of each text it is given.
function called(change: Change, fn: (...given: unknown[]) => string): (...given: unknown[]) => string {
  return (...given) => {
    const texts: string[] = [];
    const holes = given.map(value => (typeof value === 'string' && value !== '' ? String.fromCharCode(HOLE + texts.push(value) - 1) : value));
    return change(fn(...holes)).replace(/[\ue000-\ue00f]/g, hole => texts[hole.charCodeAt(0) - HOLE] ?? '');
  };
}

function changed(value: unknown, change: Change): unknown {
  if (typeof value === 'string') return change(value);
  if (typeof value === 'function') return called(change, value as (...given: unknown[]) => string);
  if (Array.isArray(value)) return value.map(v => changed(v, change));
  return Object.fromEntries(Object.entries(value as object).map(([key, v]) => [key, changed(v, change)]));
}

export const longer = changed(en, accented) as Words;
export const turned = changed(en, mirrored) as Words;
