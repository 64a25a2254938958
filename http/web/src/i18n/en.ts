// SPDX-License-Identifier: MIT
// English: the catalogue that the others have the form of.
const many = (n: number, one: string, other: string): string => `${n} ${n === 1 ? one : other}`;

export const en = {
  unitSecond: 's', unitMinute: 'min', unitHour: 'h', unitDay: 'd', weeks: 'weeks',
  justNow: 'just now',
  ago: (time: string): string => `${time} ago`,

  torrents: 'Torrents',
  torrentsN: (n: number): string => many(n, 'torrent', 'torrents'),
  states: {
    stopped: 'Stopped', queued: 'Queued', checking: 'Checking', metadata: 'Waiting for the file list',
    downloading: 'Downloading', seeding: 'Seeding', error: 'Problem', moving: 'Moving',
  } as Record<string, string>,
  filters: {
    all: 'All', active: 'Active', downloading: 'Downloading', done: 'Done', stopped: 'Stopped', problems: 'Problems',
  },
  filtersName: 'Filters',
  sorts: {
    added: 'Added', name: 'Name', progress: 'Progress', down: 'Download rate', up: 'Upload rate', eta: 'Time left',
    ratio: 'Ratio', size: 'Size', queue: 'Queue',
  },
  columns: { name: 'Name', size: 'Size', progress: 'Done', down: 'Down', up: 'Up', eta: 'Left', ratio: 'Ratio' },
  sort: 'Sort', sortBy: (what: string): string => `Sort by ${what}`, ascending: 'Ascending', descending: 'Descending',

  add: 'Add', addTitle: 'Add torrents', search: 'Search', more: 'More', close: 'Close', cancel: 'Cancel', back: 'Back',
  start: 'Start', stop: 'Stop', remove: 'Remove', startName: (n: string): string => `Start ${n}`,
  stopName: (n: string): string => `Stop ${n}`, undo: 'Undo', tryAgain: 'Try again', open: 'Open', save: 'Save',
  copy: 'Copy', copied: 'Copied', select: 'Select', all: 'All', none: 'None', invert: 'Invert', done: 'Done',
  selectName: (n: string): string => `Select ${n}`,
  selected: (n: number, of: number): string => `${n} of ${of}`,

  moving: (rates: string, left: string, part: string): string => [rates, left, part].filter(Boolean).join(' · '),
  of: (a: string, b: string): string => `${a} of ${b}`,
  whyQueued: 'Waits in the queue', whyPieces: 'Nobody connected has what is missing',
  whyStopped: (part: string): string => `Stopped · ${part}`,
  whyStoppedDone: (r: string): string => `Stopped · ratio ${r}`,
  whyLimit: (r: string): string => `Stopped at its limit · ratio ${r}`,
  whyMetadata: (n: number): string =>
    n > 0 ? `Asks ${many(n, 'peer', 'peers')} for the file list` : 'Looks for peers that have the file list',
  whyNobody: 'Nobody found yet',
  whyTracker: 'A tracker reports an error',
  whyNoAnswer: (n: number): string => `${many(n, 'peer', 'peers')} known, none answers`,
  whyChoked: (n: number): string => `${many(n, 'peer', 'peers')}, none sends now`,
  whyDisk: 'The disk is full', whyVolume: 'The volume is not there', whyIo: 'A file could not be read or written',
  whyLimited: 'Held back by a limit',
  whyChecking: (p: string): string => `Checking ${p}`,
  whySeeding: (r: string): string => `Complete · nobody asks now · ratio ${r}`,
  seedingAt: (r: string): string => `ratio ${r}`,
  left: (time: string): string => `${time} left`,

  strip: 'Rates of all torrents',
  noTorrents: 'Nothing here yet',
  noTorrentsHint: 'Paste a magnet link, choose a .torrent file, or drop one anywhere on this page.',
  noMatch: 'Nothing matches',
  noMatchHint: (what: string): string => `You are looking at: ${what}`,
  clear: 'Show all',
  loading: 'Loading',
  found: (n: number): string => many(n, 'torrent', 'torrents'),
  searchHint: 'Name, folder or hash',

  addHint: 'Magnet links or info-hashes, one per line',
  chooseFile: 'Choose .torrent files', paste: 'Paste', addWhere: 'Folder', addWhereHint: 'as configured',
  addStart: 'Start at once', addSequential: 'In order, first piece first', addTop: 'To the top of the queue', addMore: 'More options',
  download: 'Download', downloadN: (n: number): string => `Download ${n}`,
  sourceMagnet: 'Magnet link', sourceHash: 'Info-hash', sourceFile: (size: string): string => `Torrent file, ${size}`,
  sourceFiles: (size: string, files: number): string => `${size} in ${many(files, 'file', 'files')}`,
  sourceLink: 'Links to .torrent files are not followed: download the file and choose it here',
  sourceBad: 'This is neither a magnet link nor an info-hash', sourceNoTorrent: 'This file is no torrent',
  sourceDrop: 'Take it off the list', alreadyHere: 'Already here', added: (n: string): string => `Added ${n}`,
  addedN: (n: number): string => `${many(n, 'torrent', 'torrents')} added`,
  chooseFiles: 'Choose files', filesChosen: (n: number, of: number): string => `${n} of ${of} files`,

  removeTitle: (n: string): string => `Remove ${n}?`, removeTitleN: (n: number): string => `Remove ${many(n, 'torrent', 'torrents')}?`,
  removeKeep: 'Remove, keep the files', removeData: (size: string): string => `Delete ${size} of data`,
  removeHint: 'Deleted data cannot be brought back.', removed: (n: string): string => `Removed ${n}`,
  removedN: (n: number): string => `${many(n, 'torrent', 'torrents')} removed`,
  stopped: (n: string): string => `Stopped ${n}`, started: (n: string): string => `Started ${n}`,
  stoppedN: (n: number): string => `${many(n, 'torrent', 'torrents')} stopped`,
  startedN: (n: number): string => `${many(n, 'torrent', 'torrents')} started`,
  failed: (n: string, why: string): string => `${n}: ${why}`,

  tabs: { overview: 'Overview', files: 'Files', peers: 'Peers', trackers: 'Trackers' },
  gone: 'This torrent is no longer here', why: 'Why', pieces: 'Pieces',
  piecesOf: (have: string, all: string, length: string): string => `${have} of ${all}, ${length} each`,
  piecesName: (p: string): string => `Map of pieces: ${p} verified`,
  facts: {
    size: 'Size', wanted: 'Wanted', downloaded: 'Downloaded', uploaded: 'Uploaded', ratio: 'Ratio', wasted: 'Wasted',
    failed: 'Failed pieces', path: 'Folder', hash: 'Info-hash', added: 'Added', completed: 'Completed', priv: 'Private',
    limits: 'Limits', swarm: 'Swarm', magnet: 'Magnet link',
  },
  yes: 'yes', unlimited: 'none', swarmOf: (seeds: number, peers: number): string =>
    `${many(seeds, 'seed', 'seeds')}, ${many(peers, 'peer', 'peers')}`,
  options: 'Options', sequential: 'In order', forced: 'Ignore the queue', recheck: 'Check the data again',
  rechecking: 'The data is being checked again', copyMagnet: 'Copy the magnet link', queueTop: 'To the top of the queue',
  queueBottom: 'To the end of the queue', moved: 'Moved in the queue',

  noFiles: 'The list of files has not come yet', noPeers: 'Nobody is connected', noPeersHint: 'Peers come from trackers, the DHT and other peers.',
  noTrackers: 'This torrent has no trackers', filesName: 'Files', folder: 'Folder',
  priorities: { skip: 'Skip', low: 'Low', normal: 'Normal', high: 'High', mixed: 'Mixed' } as Record<string, string>,
  priorityOf: (n: string): string => `Priority of ${n}`, wantedOf: (n: string): string => `Download ${n}`,
  expand: (n: string): string => `Open ${n}`, collapse: (n: string): string => `Close ${n}`,
  filesOf: (n: number, of: number): string => `${n} of ${of} wanted`,

  peerSends: 'sends to you', peerTakes: 'takes from you', peerRefuses: 'you asked, it refuses', peerNothing: 'has nothing you lack',
  peerIdle: 'idle', peerDialled: 'being dialled', peerIncoming: 'came to you', peerEncrypted: 'encrypted', peerHas: (p: string): string => `has ${p} of what you lack`,
  trackerStates: { waiting: 'not asked yet', working: 'works', error: 'does not work' } as Record<string, string>,
  trackerCounts: (seeds: number, peers: number): string => `${many(seeds, 'seed', 'seeds')}, ${many(peers, 'downloader', 'downloaders')}`,
  trackerNext: (time: string): string => `asked again in ${time}`, tier: (n: number): string => `Tier ${n}`, webseed: 'Web seed',

  connecting: 'Connecting', live: 'Connected',
  causes: {
    offline: 'This device is offline', noanswer: 'No answer from torrentd', proxy: 'The proxy answers, torrentd does not',
    proxylogin: 'Your proxy wants a login', host: 'The name of this page is not in api.hosts',
    failed: 'torrentd answers with an error', login: 'Sign in',
  } as Record<string, string>,
  lastNews: (time: string): string => `last news ${time} ago`, againIn: (time: string): string => `again in ${time}`, now: 'Now', signIn: 'Sign in',
  newVersion: 'There is a new version of this page', reload: 'Reload',

  pairTitle: 'Let this device in', pairHint: 'Type the code that a paired device or the server shows, or the API token.',
  pairCode: 'Code or token', pairName: 'Name of this device', pair: 'Sign in', pairing: 'Signing in', pairDone: 'This device is in',
  deviceName: (what: string): string => `${what} browser`,

  nowTitle: 'Now', limitDown: 'Download limit', limitUp: 'Upload limit', limitHint: '2 MiB/s, 500k, 20 Mbit; empty or 0: none', apply: 'Set',
  limitBad: 'This is no rate', limitSet: (r: string): string => `Limit set: ${r}`, pauseAll: 'Stop all', resumeAll: 'Start what was stopped',
  activeOf: (n: number, of: number): string => `${n} of ${of} active`,

  settings: 'Settings', settingsHint: 'These are kept on this device.', theme: 'Look', themes: { auto: 'As the system', light: 'Light', dark: 'Dark', black: 'Black' },
  language: 'Language', languageAuto: 'As the browser', density: 'Rows', densities: { usual: 'Usual', compact: 'Compact' },
  clipboard: 'Look at the clipboard when adding', swipes: 'Swipe rows', keys: 'Single-key shortcuts', shortcuts: 'Keys',
  keyList: [
    ['/', 'Search'], ['n', 'Add'], ['j k', 'Next, previous'], ['Enter', 'Open'], ['Space', 'Select'], ['p', 'Start or stop'],
    ['Delete', 'Remove'], ['Esc', 'Back'], ['?', 'This list'],
  ] as [string, string][],
  about: (v: string): string => `torrentd ${v}`, yourScopes: (s: string): string => `You may: ${s}`, signOut: 'Sign out',
  insecure: 'Over plain http a browser gives no clipboard, no sharing and no installed app.',
};
