// The payment provider: authorizes, charges and refunds cards in whole cents, and mails the customer how it ended. Pure: the
// ledger performs and stores, the server speaks HTTP.
//
// A refund *closes* its order: a charge that was delayed on its way and arrives after the refund is refused, not made.

import { z } from 'zod';
import { type Decision, type Domain, type Request, refuse } from './ledger.ts';

export type PaymentEffect =
  | { kind: 'authorized'; orderId: string; authorizationId: string; amountCents: number; card: string }
  | { kind: 'declined'; orderId: string; code: string; at: 'authorization' | 'charge' }
  | { kind: 'charged'; orderId: string; chargeId: string; amountCents: number; balanceCents: number }
  | {
      kind: 'refunded';
      orderId: string;
      refundedCents: number;
      voidedCents: number;
      balanceCents: number;
    }
  | { kind: 'messaged'; orderId: string; messageId: string; ending: string };

interface Account {
  authorization?: { id: string; amountCents: number; card: string };
  chargedCents: number;
  closed: boolean;
}

interface PaymentState {
  accounts: Map<string, Account>;
  /** What the shop holds: charges less refunds. */
  balanceCents: number;
}

const cents = z.int().positive();
const orderId = z.string().min(1).max(200);
const authorizeBody = z.object({ orderId, amountCents: cents, card: z.string().min(1) });
const chargeBody = z.object({ orderId, amountCents: cents, authorizationId: z.string() });
const refundBody = z.object({ orderId });
const messageBody = z.object({ orderId, email: z.email(), ending: z.string().min(1) });

/** Test tokens in the manner of payment providers: the token says how its card behaves. */
const REFUSED_AT_AUTHORIZATION: Readonly<Record<string, { code: string; message: string }>> = {
  tok_declined: { code: 'card_declined', message: 'the card was declined by its bank' },
  tok_expired: { code: 'expired_card', message: 'the card has expired' },
};
const TOKEN_WITHOUT_FUNDS = 'tok_insufficient_funds';

export const paymentDomain: Domain<PaymentState, PaymentEffect> = {
  name: 'payment',
  create: () => ({ accounts: new Map(), balanceCents: 0 }),

  decide(state, request) {
    switch (request.path) {
      case '/authorizations':
        return authorize(state, request);
      case '/charges':
        return charge(state, request);
      case '/refunds':
        return refund(state, request);
      case '/messages':
        return message(request);
      default:
        return { answer: refuse(404, 'no_such_path', `payment has no POST ${request.path}`) };
    }
  },

  evolve(state, effect) {
    const account = state.accounts.get(effect.orderId) ?? { chargedCents: 0, closed: false };
    state.accounts.set(effect.orderId, account);
    switch (effect.kind) {
      case 'authorized':
        account.authorization = { id: effect.authorizationId, amountCents: effect.amountCents, card: effect.card };
        return;
      case 'charged':
        account.chargedCents += effect.amountCents;
        state.balanceCents += effect.amountCents;
        return;
      case 'refunded':
        state.balanceCents -= effect.refundedCents;
        account.closed = true;
        return;
      case 'declined':
      case 'messaged':
        return;
    }
  },

  view(state, path) {
    if (path === '/balance') return { balanceCents: state.balanceCents, orders: state.accounts.size };
    return undefined;
  },
};

function authorize(state: PaymentState, request: Request): Decision<PaymentEffect> {
  const body = authorizeBody.parse(request.body);
  const account = state.accounts.get(body.orderId);
  if (account?.closed) return { answer: closedAnswer(body.orderId) };
  if (account?.authorization) {
    const had = account.authorization.id;
    return { answer: refuse(422, 'already_authorized', `order ${body.orderId} is already authorized as ${had}`) };
  }
  const refusal = REFUSED_AT_AUTHORIZATION[body.card];
  if (refusal) return decline(body.orderId, 'authorization', refusal);
  const authorizationId = `auth_${number(request.seq)}`;
  return {
    answer: { status: 201, body: { authorizationId } },
    effect: { kind: 'authorized', authorizationId, ...body },
  };
}

function charge(state: PaymentState, request: Request): Decision<PaymentEffect> {
  const body = chargeBody.parse(request.body);
  const account = state.accounts.get(body.orderId);
  if (account?.closed) return { answer: closedAnswer(body.orderId) };
  const authorization = account?.authorization;
  if (!account || !authorization || authorization.id !== body.authorizationId) {
    const message = `order ${body.orderId} has no authorization ${body.authorizationId}`;
    return { answer: refuse(422, 'not_authorized', message) };
  }
  if (account.chargedCents + body.amountCents > authorization.amountCents) {
    const message = `order ${body.orderId} is authorized for ${authorization.amountCents} cents, of which ${account.chargedCents} are charged`;
    return { answer: refuse(422, 'exceeds_authorization', message) };
  }
  if (authorization.card === TOKEN_WITHOUT_FUNDS) {
    return decline(body.orderId, 'charge', {
      code: 'insufficient_funds',
      message: 'the account no longer covers the authorized amount',
    });
  }
  const chargeId = `ch_${number(request.seq)}`;
  const { amountCents } = body;
  return {
    answer: { status: 201, body: { chargeId, chargedCents: amountCents } },
    effect: {
      kind: 'charged',
      orderId: body.orderId,
      chargeId,
      amountCents,
      balanceCents: state.balanceCents + amountCents,
    },
  };
}

function refund(state: PaymentState, request: Request): Decision<PaymentEffect> {
  const body = refundBody.parse(request.body);
  const account = state.accounts.get(body.orderId);
  if (account?.closed) return { answer: closedAnswer(body.orderId) };
  const chargedCents = account?.chargedCents ?? 0;
  const voidedCents = (account?.authorization?.amountCents ?? 0) - chargedCents;
  return {
    answer: { status: 201, body: { chargedCents, refundedCents: chargedCents, voidedCents } },
    effect: {
      kind: 'refunded',
      orderId: body.orderId,
      refundedCents: chargedCents,
      voidedCents,
      balanceCents: state.balanceCents - chargedCents,
    },
  };
}

function message(request: Request): Decision<PaymentEffect> {
  const body = messageBody.parse(request.body);
  const messageId = `msg_${number(request.seq)}`;
  return {
    answer: { status: 201, body: { messageId } },
    effect: { kind: 'messaged', orderId: body.orderId, messageId, ending: body.ending },
  };
}

function decline(
  orderId: string,
  at: 'authorization' | 'charge',
  why: { code: string; message: string },
): Decision<PaymentEffect> {
  return { answer: refuse(402, why.code, why.message), effect: { kind: 'declined', orderId, code: why.code, at } };
}

function closedAnswer(orderId: string) {
  return refuse(410, 'order_closed', `the payment of order ${orderId} was refunded and closed`);
}

function number(seq: number): string {
  return String(seq).padStart(6, '0');
}
