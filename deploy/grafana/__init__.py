"""Dashboards as code: tables of panels, written as JSON that Grafana provisions."""
