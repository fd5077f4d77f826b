"""Workbooks 工作簿: Excel out and Excel in, declared once and checked at start-up."""
