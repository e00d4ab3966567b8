/**
 * The app's type in the developer console: `self-built` belongs to one tenant; `store` is an ISV app that many tenants install.
 *
 * @publicApi
 */
export type AppType = 'self-built' | 'store';
