# SPDX-License-Identifier: MIT
# The maps that are shipped: one folder each, named as the map's key.
map_newbie_islanddir = $(mcdatadir)/maps/newbie-island
dist_map_newbie_island_DATA = \
	maps/newbie-island/map.conf \
	maps/newbie-island/terrain.png

map_harbour_towndir = $(mcdatadir)/maps/harbour-town
dist_map_harbour_town_DATA = \
	maps/harbour-town/map.conf \
	maps/harbour-town/terrain.png

map_old_forestdir = $(mcdatadir)/maps/old-forest
dist_map_old_forest_DATA = \
	maps/old-forest/map.conf \
	maps/old-forest/terrain.png

# Draws the height maps; they are in the tree, so nobody has to run it.
if MODULE_WORLD
noinst_PROGRAMS += maps/terrain
maps_terrain_SOURCES = maps/terrain.c
maps_terrain_CPPFLAGS = $(AM_CPPFLAGS) $(PNG_CFLAGS)
maps_terrain_LDADD = $(PNG_LIBS) -lm
endif
