package io.github.dl4jfuse.datasets;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What {@link DataFolders} must know of a data set to find its files. */
abstract class DataSetFiles {
    /** The name for messages. */
    final String title;

    /** The name of its folder in the cache. */
    final String cacheName;

    /** The sub-folders, best first, in which a data folder may hold the files if it doesn't hold them directly. */
    final List<String> subFolders;

    /** The folders in which a system's package may have put the files. */
    final List<Path> installedFolders;

    DataSetFiles(String title, String cacheName, List<String> subFolders, List<Path> installedFolders) {
        this.title = title;
        this.cacheName = cacheName;
        this.subFolders = subFolders;
        this.installedFolders = installedFolders;
    }

    /** Returns the path of a file in a folder, the unpacked one if both are there. */
    static Path locate(Path folder, String name) {
        Path plain = folder.resolve(name);
        return Files.isRegularFile(plain) ? plain : folder.resolve(name + ".gz");
    }

    /** Returns whether a folder holds a file, packed or not. */
    static boolean holds(Path folder, String name) {
        return Files.isRegularFile(locate(folder, name));
    }

    /** Returns the names of the files that a folder lacks; an empty list says that the data set can be read from there. */
    abstract List<String> missingIn(Path folder);

    /** Returns the sentence that says how to get the files by hand and put them into a folder. */
    abstract String remedy(Path folder);

    /** Fetches the files that a folder lacks, from the official address. */
    abstract void downloadTo(Path folder);
}
