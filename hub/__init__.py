"""The Django project: settings, urls, admin site, errors, health and security middleware."""
