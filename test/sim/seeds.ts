// Seeds that found a bug, each with a word on it. They run with every slice: as the workload changes a seed may come to mean another history,
// so each bug that can has a test of its own as well; the range they came from keeps being searched.

export const FOUND: readonly { seed: number; bug: string }[] = [
  { seed: 5, bug: 'a flush joined event rows between two reads of a history, which then ended early' },
  { seed: 19, bug: 'a workflow task whose history could not be fetched was never answered and kept its slot for ever' },
  { seed: 69, bug: 'a timer row armed by an actor read back, at the key of one it had forgotten, stayed on disk' },
  { seed: 159, bug: 'registering again on a standing link voided the credit of answers sent before it' },
  { seed: 206, bug: 'an activity that came while a warm workflow task waited was offered to nobody' },
  {
    seed: 574,
    bug: 'a worker registered twice while the disk was slow; the first registration undid a start that the second had delivered',
  },
  { seed: 1018, bug: 'a queue was not announced when one entry ended a task in hand and enqueued another' },
  { seed: 4384, bug: 'an engine closed while it recovered flushed what it had, and trimmed the rest of the log' },
  {
    seed: 31280,
    bug: 'a node whose disk had failed pushed a refused turn ahead, undid it, started it again, without end',
  },
  {
    seed: 437,
    bug: 'a task that a turn under way offered when its routes were heard of stayed where no worker looked',
  },
  { seed: 54, bug: 'a permit that was granted in a pause was not written: the run waited for it for ever' },
  { seed: 101, bug: 'a page that began with the unwritten start of a workflow task came empty' },
];

/** Of the cluster's simulator. */
export const FOUND_IN_CLUSTERS: readonly { seed: number; bug: string }[] = [
  {
    seed: 4,
    bug: 'a batch job counted a run as deleted that had begun after it by the clock of another node, and left it',
  },
  { seed: 101414, bug: 'a node that drained everything said as it stopped that it restarts, and was waited for' },
  { seed: 100480, bug: 'a node that drained everything was stopped before a plan said so, and was waited for' },
  { seed: 101043, bug: 'nodes that trusted a member again at different times demoted and restored it in turn' },
  {
    seed: 100572,
    bug: 'nodes of a database whose plan was lost with Redis, all of them stopped, waited for a drained one to make the first plan again',
  },
  {
    seed: 100658,
    bug: 'a node started amid a snapshot kept the counts it had read of rows half in place, and hid tasks that waited',
  },
  {
    seed: 102596,
    bug: 'a batch of which one shard was taken was written again as a whole when the connection broke amid that',
  },
  { seed: 102473, bug: 'a node left before it could announce that it drains everything, and was waited for' },
  { seed: 102964, bug: 'nodes that began after a drained one had left did not take it for gone, and waited for it' },
  {
    seed: 911423,
    bug: 'a leader that had stood still took a voter that was there out of a shard, and left one that was gone: nobody could decide any more',
  },
];
