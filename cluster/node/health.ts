// What is wrong with a cluster, in words for whoever runs it: from its status and its shards, as one node sees them. Pure.

import type { ClusterMember, ClusterProblem, ClusterStatus, ShardStatus } from '../../src/ports/cluster.ts';

/** What is known of a node that should be there. */
const GONE: Readonly<Record<ClusterMember['state'], string>> = {
  alive: 'is alive',
  suspect: 'is suspect',
  dead: 'is dead',
  left: 'has left: it was stopped, or its store failed, which its log and its /readyz say',
  absent: 'is absent: nobody has heard of it since this node started',
};

/** Shards named in one message. */
const NAMED = 8;

const named = (shards: readonly ShardStatus[]): string => {
  const ids = shards.slice(0, NAMED).map(({ shard }) => shard);
  return shards.length > NAMED ? `${ids.join(', ')} and ${shards.length - NAMED} more` : ids.join(', ');
};

/** What a node alone can know: whom it does not reach, and who claims to be it. The one that an operator asks hears it from the others. */
export const ownProblemsOf = (status: ClusterStatus): ClusterProblem[] => [
  ...ofCoordinator(status),
  ...ofDatabase(status),
  ...ofLinks(status),
];

/** @param others what the other nodes know alone; the same of the same subject is said once */
export function problemsOf(
  status: ClusterStatus,
  shards: readonly ShardStatus[],
  others: readonly ClusterProblem[] = [],
): ClusterProblem[] {
  const known = new Map<string, ClusterProblem>();
  for (const problem of [...ownProblemsOf(status), ...others]) {
    const about = `${problem.subject} ${problem.hint}`;
    if (!known.has(about)) known.set(about, problem);
  }
  return [
    ...known.values(),
    ...ofPlan(status),
    ...ofMembers(status),
    ...ofDrains(status, shards),
    ...ofShards(status, shards),
  ];
}

function ofCoordinator({ coordinator, coordinatedBy, session, self }: ClusterStatus): ClusterProblem[] {
  const problems: ClusterProblem[] = [];
  if (coordinator !== 'ready') {
    problems.push({
      severity: 'warning',
      subject: 'coordinator',
      what: `node ${self} does not reach ${coordinatedBy === 'listener' ? 'the process that listens for it' : 'Redis'} (${coordinator}): shards that have a leader are served on, the ring does not change`,
      hint:
        coordinatedBy === 'listener'
          ? 'It is the parent of the cores: restart the server if this stays.'
          : 'Check Redis and the way to it; nothing is lost while it is away.',
    });
  }
  if (session === 'taken') {
    problems.push({
      severity: 'error',
      subject: self,
      what: `another process uses the name or the data directory of node ${self}`,
      hint: 'Stop one of the two; the log of this node names the other.',
    });
  }
  return problems;
}

function ofDatabase({ outage, self }: ClusterStatus): ClusterProblem[] {
  if (outage === undefined) return [];
  return [
    {
      severity: 'error',
      subject: 'database',
      what: `the database does not answer node ${self}: ${outage}. Requests wait, and are refused when too many do`,
      hint: 'Check the database and the way to it. What was acknowledged is there; nodes stop serving when it stays away for longer than store.postgres.outage.',
    },
  ];
}

function ofPlan({ planVersion, planning, members }: ClusterStatus): ClusterProblem[] {
  if (planVersion > 0) return [];
  const hint = 'Start the other nodes, or check cluster.firstMembers and their logs.';
  const here = members.filter(({ state }) => state === 'alive').map(({ name }) => name);
  const what = `there is no ring plan yet: ${planning}; here: ${here.join(', ')}`;
  return [{ severity: 'error', subject: 'shards', what, hint }];
}

const ofLinks = ({ members, self }: ClusterStatus): ClusterProblem[] =>
  members.flatMap(({ name, linkTrouble }) =>
    linkTrouble === undefined
      ? []
      : [
          {
            severity: 'warning',
            subject: name,
            what: `node ${self} has no link to node ${name}, which gossip sees: ${linkTrouble}`,
            hint: 'Replicas and requests for it wait. Mend what it says: clocks (NTP), cluster.keys, the way to its link port.',
          },
        ],
  );

function ofMembers({ members, store }: ClusterStatus): ClusterProblem[] {
  const problems: ClusterProblem[] = [];
  for (const { name, state, planned, shouldHold, shouldLead, version } of members) {
    if (state === 'suspect') {
      problems.push({
        severity: 'warning',
        subject: name,
        what: `node ${name} does not answer the gossip`,
        hint: 'It is declared dead when it stays silent; see its log.',
      });
    } else if (
      planned &&
      state !== 'alive' &&
      members.some((other) => other.name === name && other.state === 'alive')
    ) {
      // The same name with another directory: that one is the node now.
      problems.push({
        severity: 'warning',
        subject: name,
        what: `node ${name} has another data directory than the plan knows, which counts on ${shouldHold} replicas in the old one`,
        hint: `They are made elsewhere after a while; tenuto cluster replace ${name} does it at once.`,
      });
    } else if (planned && state !== 'alive' && store === 'database') {
      problems.push({
        severity: 'warning',
        subject: name,
        what: `node ${name} ${GONE[state]}; others lead the ${shouldLead} shards it should lead, and nothing was held there`,
        hint: `Start it again. If it does not come back: tenuto cluster replace ${name}`,
      });
    } else if (planned && state !== 'alive') {
      problems.push({
        severity: 'error',
        subject: name,
        what: `node ${name} ${GONE[state]}; it should hold ${shouldHold} shards`,
        hint: `Start it again. If it does not come back: tenuto cluster replace ${name}`,
      });
    }
    const other = members.find((member) => member.state === 'alive' && member.version !== version);
    if (state === 'alive' && other !== undefined && name < other.name) {
      problems.push({
        severity: 'warning',
        subject: name,
        what: `nodes ${name} and ${other.name} have different versions (${version}, ${other.version})`,
        hint: 'Neighbouring versions work together while a cluster is upgraded; finish the upgrade.',
      });
    }
  }
  return problems;
}

/** A drain that waits for somebody to take what the node holds. */
function ofDrains({ members, replicas, store }: ClusterStatus, shards: readonly ShardStatus[]): ClusterProblem[] {
  const stays = ({ state, planned, draining }: ClusterMember): boolean =>
    planned && (state === 'alive' || state === 'suspect') && draining !== 'everything';
  const left = members.filter(stays).length;
  return members
    .filter(({ mustStay }) => mustStay)
    .map(({ name }): ClusterProblem => {
      const held = shards.filter(({ voters }) => voters.includes(name)).length;
      return {
        severity: 'warning',
        subject: name,
        what: `node ${name} is to give up everything, but ${held} shards need it: ${left} other nodes hold shards, and cluster.replicas asks for ${replicas}`,
        hint: `Start another node${store === 'database' ? '' : ', or lower cluster.replicas on all of them'}: the drain then goes on by itself. Or take it back: tenuto cluster drain ${name} --undo`,
      };
    });
}

function ofShards(
  { planVersion, replicas, members, store }: ClusterStatus,
  shards: readonly ShardStatus[],
): ClusterProblem[] {
  if (planVersion === 0) return [];
  const isShared = store === 'database';
  const problems: ClusterProblem[] = [];
  const report = (severity: ClusterProblem['severity'], some: readonly ShardStatus[], what: string, hint: string) => {
    if (some.length > 0) {
      const verb = some.length === 1 ? 'shard' : 'shards';
      problems.push({ severity, subject: 'shards', what: `${some.length} ${verb} ${what}: ${named(some)}`, hint });
    }
  };
  const up = new Set(members.filter(({ state }) => state === 'alive' || state === 'suspect').map(({ name }) => name));
  const led = shards.filter(({ leader }) => leader !== undefined);
  report(
    'error',
    shards.filter(({ leader }) => leader === undefined),
    'without a leader',
    isShared
      ? 'A node that should lead it takes it within a second, unless what it holds is damaged: see the logs, and tenuto data verify.'
      : 'Others elect one within seconds, as a new cluster does, unless a majority of its voters is away: start these nodes.',
  );
  // In a database a shard has no replicas at nodes, whoever leads it.
  const replicated = isShared ? [] : led;
  const moving = replicated.filter(({ voters, desired }) => desired.some((name) => !voters.includes(name)));
  const isShort = ({ voters, desired }: ShardStatus): boolean =>
    voters.filter((name) => up.has(name)).length < desired.length;
  report(
    'warning',
    moving.filter(isShort),
    'with fewer live replicas than planned, being made',
    'Wait, and look again. If it does not go on, see the log of the leader.',
  );
  report(
    'warning',
    moving.filter((shard) => !isShort(shard)),
    'not held where the plan wants it, being moved',
    'Each has all its replicas, at other nodes: they move one by one. If it does not go on, see the log of the leader.',
  );
  // Replicas are planned for whom there is: with fewer nodes than that nothing else says that a lost one would be one too many.
  report(
    'warning',
    replicated.filter(({ voters, desired }) => desired.length < replicas && voters.length <= desired.length),
    `with fewer than the ${replicas} replicas of cluster.replicas, as fewer nodes hold shards`,
    'Start another node, or take a drain back: a shard waits when a majority of those it has is away.',
  );
  // Led by others as long as who should lead is away: that is said of the node.
  const away = new Set(members.filter(({ state }) => state !== 'alive').map(({ name }) => name));
  for (const { name, state } of members) if (state === 'alive') away.delete(name);
  report(
    'warning',
    led.filter(
      ({ leader, desired: [first = ''], voters }) =>
        leader !== first && (isShared || voters.includes(first)) && !away.has(first),
    ),
    'not led where the plan wants it',
    isShared
      ? 'They move by themselves within a second or two.'
      : 'They move by themselves in seconds; tenuto cluster rebalance does it at once.',
  );
  return problems;
}
