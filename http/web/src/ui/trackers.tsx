// SPDX-License-Identifier: MIT
// Who is asked for peers, and what they answer, verbatim.
import { duration } from '../format';
import { t } from '../i18n/index';
import { type Row, serverNow } from '../store';
import { type TrackerView, useView, type WebSeedView } from '../view';

const TONES: Record<string, string> = { working: 'done', error: 'error', waiting: 'idle' };

// The key that a private tracker's address may hold is nobody's business on a screen.
function host(url: string): string {
  try {
    const { protocol, host: name } = new URL(url);
    return `${protocol}//${name}`;
  } catch {
    return url.slice(0, 100);
  }
}

function Tracker({ tracker: k }: { tracker: TrackerView }) {
  const next = k.nextannounce ? Date.parse(k.nextannounce) / 1000 - serverNow() : -1;
  const facts = [t.value.trackerStates[k.status] ?? k.status];
  if (k.status === 'working') facts.push(t.value.trackerCounts(k.seeders, k.leechers));
  if (next > 0) facts.push(t.value.trackerNext(duration(next)));
  return (
    <li class={`tracker tone-${TONES[k.status] ?? 'idle'}`}>
      <bdi class="tracker-host" title={k.url}>{host(k.url)}</bdi>
      <span class="tracker-facts">{facts.join(' · ')}</span>
      {k.message && k.status !== 'waiting' && <q class="tracker-said">{k.message.slice(0, 300)}</q>}
    </li>
  );
}

export function Trackers({ row }: { row: Row }) {
  const { data } = useView<{ trackers: TrackerView[]; webseeds: WebSeedView[] }>(row.hash, { fields: 'trackers,webseeds' });
  const view = data.value;
  if (!view) return <p class="hint">{t.value.loading}</p>;
  if (view.trackers.length === 0 && view.webseeds.length === 0) return <div class="empty"><h2>{t.value.noTrackers}</h2></div>;
  const tiers = [...new Set(view.trackers.map(k => k.tier))].sort((a, b) => a - b);
  return (
    <>
      {tiers.map(tier => <section key={tier} class="block">
        {tiers.length > 1 && <h2>{t.value.tier(tier + 1)}</h2>}
        <ul class="trackers">{view.trackers.filter(k => k.tier === tier).map(k => <Tracker key={k.url} tracker={k} />)}</ul>
      </section>)}
      {view.webseeds.length > 0 && <section class="block">
        <h2>{t.value.webseed}</h2>
        <ul class="trackers">{view.webseeds.map(s => <li key={s.url} class="tracker"><bdi class="tracker-host">{s.url}</bdi><span class="tracker-facts">{[s.state, s.error].filter(Boolean).join(' · ')}</span></li>)}</ul>
      </section>}
    </>
  );
}
