package io.github.dl4jfuse.datasets;

import java.nio.file.Path;
import java.util.List;

/** What {@link DataFolders} must know of a data set to find its files. */
interface DataSetFiles {
    /** Returns the name for messages. */
    String title();

    /** Returns the name of its folder in the cache. */
    String cacheName();

    /** Returns the sub-folders, best first, in which a data folder may hold the files if it doesn't hold them directly. */
    List<String> subFolders();

    /** Returns the folders in which a system's package may have put the files. */
    List<Path> installedFolders();

    /** Returns the names of the files that a folder lacks; an empty list says that the data set can be read from there. */
    List<String> missingIn(Path folder);

    /** Returns the sentence that says how to get the files by hand and put them into a folder. */
    String remedy(Path folder);

    /** Fetches the files that a folder lacks, from the official address. */
    void downloadTo(Path folder);
}
