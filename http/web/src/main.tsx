// SPDX-License-Identifier: MIT
// The page's begin.
import { render } from 'preact';
import { takeArrivals } from './arrive';
import { useLanguage } from './i18n/index';
import { addSprite } from './icons';
import { startKeys } from './keys';
import { startLink } from './link';
import { startLook } from './look';
import { startOutbox } from './outbox';
import { prefs } from './prefs';
import { startRouter } from './router';
import { startSince } from './since';
import { startVolumes } from './volumes';
import { App } from './ui/app';

interface Policies { createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): string } }

// The one script that is named by text; the policy knows no other.
function startWorker(): void {
  if (!('serviceWorker' in navigator)) return;
  const types = (window as unknown as { trustedTypes?: Policies }).trustedTypes;
  const policy = types?.createPolicy('td', {
    createScriptURL: url => {
      if (url !== 'sw.js') throw new TypeError(url);
      return url;
    },
  });
  navigator.serviceWorker.register(policy ? policy.createScriptURL('sw.js') : 'sw.js').catch(() => undefined);
}

startLook();
addSprite();
startRouter();
startKeys();
startLink();
startVolumes();
startSince();
startOutbox();
void useLanguage(prefs.value.language);
render(<App />, document.getElementById('app')!);
takeArrivals();
window.addEventListener('load', startWorker);
