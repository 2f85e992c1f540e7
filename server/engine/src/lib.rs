//! The application core: services, store, inbox, jobs, gateway.
