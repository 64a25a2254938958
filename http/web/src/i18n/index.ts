// SPDX-License-Identifier: MIT
// The words of the page in one language; others than English come when they are wanted.
import { signal } from '@preact/signals';
import { en } from './en';

export type Words = typeof en;

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

export const t = signal<Words>(en);
export const lang = signal<Language>('en');

export function isLanguage(code: string): code is Language {
  return code in LANGUAGES;
}

// What was chosen, or the first of the browser's languages that there is.
export async function useLanguage(wanted: string): Promise<void> {
  const codes = [wanted, ...navigator.languages.map(l => l.slice(0, 2))];
  const code = codes.find(isLanguage) ?? 'en';
  t.value = code === 'de' ? (await import('./de')).de : en;
  lang.value = code;
  document.documentElement.lang = code;
}
