export * from './activities.js';
export * from './basics.js';
export * from './children.js';
export * from './messages.js';
export * from './runs.js';
export * from './timers.js';
