export * from './activities.js';
export * from './basics.js';
export * from './messages.js';
export * from './retries.js';
export * from './runs.js';
export * from './timers.js';
