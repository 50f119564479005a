// What a subscription does each period: here it is noted down.

export const charged: string[] = [];

export async function charge(account: string, plan: string): Promise<void> {
  charged.push(`${account} ${plan}`);
}
