// SPDX-License-Identifier: MIT
// Who is connected, and in words what passes between us.
import { percent, rate } from '../format';
import { t } from '../i18n/index';
import { stale } from '../link';
import { scale } from '../media';
import type { Row } from '../store';
import { type PeerView, useView } from '../view';
import { Virtual } from './virtual';

const HEIGHT = 64; // px, at the usual size of letters

function says(p: PeerView): string {
  const w = t.value, out: string[] = [];
  if (!p.connected) return w.peerDialled;
  if (p.downrate > 0) out.push(w.peerSends);
  else if (p.interesting && p.choking_us) out.push(w.peerRefuses);
  if (p.uprate > 0) out.push(w.peerTakes);
  if (out.length === 0) out.push(p.interesting || p.interested_in_us ? w.peerIdle : w.peerNothing);
  if (p.interesting) out.push(w.peerHas(percent(p.relevence)));
  if (p.incoming) out.push(w.peerIncoming);
  if (p.encryption !== 'none') out.push(w.peerEncrypted);
  return out.join(' · ');
}

export function Peers({ row }: { row: Row }) {
  const { data } = useView<{ Peers: PeerView[] }>(row.hash, { fields: 'Peers' });
  const peers = data.value?.Peers, live = !stale.value;
  if (!peers) return <p class="hint">{t.value.loading}</p>;
  if (peers.length === 0) return <div class="empty"><h2>{t.value.noPeers}</h2><p>{t.value.noPeersHint}</p></div>;
  const height = Math.round(HEIGHT * scale.value);
  const item = (i: number) => {
    const p = peers[i]!;
    const rates = live ? [p.downrate > 0 ? `↓ ${rate(p.downrate * 1024)}` : '', p.uprate > 0 ? `↑ ${rate(p.uprate * 1024)}` : ''].filter(Boolean).join(' ') : '';
    return (
      <li key={p.host} class="peer" style={{ transform: `translateY(${i * height}px)`, height: `${height}px` }}>
        <span class="peer-top"><bdi class="peer-host">{p.host}</bdi><span class="peer-rates">{rates}</span></span>
        <span class="peer-words"><bdi>{[p.client, says(p)].filter(Boolean).join(' · ')}</bdi></span>
      </li>
    );
  };
  return <Virtual count={peers.length} height={height} label={t.value.tabs.peers} item={item} class="peers" />;
}
