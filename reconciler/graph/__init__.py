"""Entra and Microsoft Graph: the only room that speaks HTTP."""
