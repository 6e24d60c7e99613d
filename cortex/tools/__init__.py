"""What agents work with: files, commands, checks and git, each call of which is an event.

Nothing here decides what is worked on. Pure parts (`comparison`, `paths`, `git_names`, `findings`)
are apart from those that touch the disk or start processes.
"""
