// Why a node is not let in, or not listened to, and the sentence people get. A refusal never ends a process by itself: it is an event.

export type RefusalReason =
  | 'foreignCluster'
  | 'incompatibleVersion'
  | 'unknownKey'
  | 'notEncrypted'
  | 'encrypted'
  | 'duplicateName'
  | 'nameReserved'
  | 'duplicateDirectory'
  | 'tableFull'
  | 'yourself';

/** Order is wire format: append only. */
export const REASONS: readonly RefusalReason[] = [
  'foreignCluster',
  'incompatibleVersion',
  'unknownKey',
  'notEncrypted',
  'encrypted',
  'duplicateName',
  'nameReserved',
  'duplicateDirectory',
  'tableFull',
  'yourself',
];

/** Worth trying again by itself: time cures it. */
export const isTemporary = (reason: RefusalReason): boolean => reason === 'nameReserved' || reason === 'tableFull';

/** Another node has the name or the directory, as far as is known: it may have been killed just now. */
export const isTaken = (reason: RefusalReason): boolean =>
  reason === 'duplicateName' || reason === 'duplicateDirectory';

const EXPLANATIONS: Readonly<Record<RefusalReason, string>> = {
  foreignCluster: 'it belongs to another cluster. Check cluster.id and the seeds on both sides',
  incompatibleVersion:
    'there is no protocol version that both speak. Upgrade the older one: versions may differ by one while a cluster is upgraded',
  unknownKey:
    'none of the keys at hand opens what the other sealed. Give both the same cluster keys; a new key is added everywhere before it is used',
  notEncrypted: 'it sends unencrypted, and this side requires encryption. Give it the cluster keys',
  encrypted: 'it sends encrypted, and this side has no key. Give this side the cluster keys',
  duplicateName: 'the name belongs to another node that is alive. Choose another name, or stop that node first',
  nameReserved:
    'the name belonged to a node with another data directory that died only just now. It becomes free soon; or stop that node with a leave',
  duplicateDirectory:
    'its data directory is in use by another node that is alive. A copied directory must not vote twice: start with an empty one',
  tableFull: 'the cluster has as many members, dead ones included, as there can be',
  yourself: 'it is this very node',
};

/** For who does not let another in. @param detail what is known of the case */
export const explain = (reason: RefusalReason, detail = ''): string =>
  detail === '' ? EXPLANATIONS[reason] : `${EXPLANATIONS[reason]} (${detail})`;

/** The same, where the two sides are not alike, for who is not let in: it is that one's settings that people look at. */
const TO_REFUSED: Partial<Readonly<Record<RefusalReason, string>>> = {
  foreignCluster: 'that one belongs to another cluster. Check cluster.id and the seeds of this node',
  incompatibleVersion:
    'there is no protocol version that both speak; the log of that one says which each speaks. Upgrade the older one: versions may differ by one while a cluster is upgraded',
  unknownKey: "none of that one's keys opens what this node sealed. Give this node the cluster's keys (cluster.keys)",
  notEncrypted:
    "this node sends unencrypted, and the cluster requires encryption. Give it the cluster's keys (cluster.keys)",
  encrypted: 'this node has keys, and that one has none. Take cluster.keys out here, or give the same to all nodes',
  duplicateDirectory:
    'the data directory of this node is in use by another node that is alive. A copied directory must not vote twice: start with an empty one',
};

/** For who is not let in. */
export const explainToRefused = (reason: RefusalReason): string => TO_REFUSED[reason] ?? EXPLANATIONS[reason];
